import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DavitError } from '../../domain/errors.js';
import { parseRemoteName } from '../../domain/ids.js';

/**
 * Where things lie:
 *
 *   WORK/place                     who this place is
 *   WORK/keeper-HASH.sh            the keeper's script
 *   WORK/live/NAME                 an index of what has not ended, so that `list` need not read thousands of old folders
 *   WORK/jobs/NAME/state/          small files, each written once and whole (see state.ts); watched by `follow`
 *   WORK/jobs/NAME/{stdout,stderr} output, outside `state` so that a chatty job does not wake who follows its state
 *   WORK/jobs/NAME/{code,prepared.json,environments,keeper.log}
 */
export interface JobFolder {
  root: string;
  state: string;
  code: string;
  prepared: string;
  keeperLog: string;
  live: string;
}

export class Layout {
  constructor(readonly workFolder: string) {}

  get place(): string {
    return join(this.workFolder, 'place');
  }
  get jobs(): string {
    return join(this.workFolder, 'jobs');
  }
  get live(): string {
    return join(this.workFolder, 'live');
  }
  get trash(): string {
    return join(this.workFolder, 'trash');
  }

  /** Names come from outside: only what `remoteName` makes may become part of a path. */
  job(name: string): JobFolder {
    if (!parseRemoteName(name)) throw new DavitError('invalid-request', `"${name}" is not the name of a job.`);
    const root = join(this.jobs, name);
    return {
      root,
      state: join(root, 'state'),
      code: join(root, 'code'),
      prepared: join(root, 'prepared.json'),
      keeperLog: join(root, 'keeper.log'),
      live: join(this.live, name),
    };
  }

  async ensure(): Promise<void> {
    for (const folder of [this.workFolder, this.jobs, this.live]) await makeFolder(folder);
  }
}

export const makeFolder = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
};

export const randomName = (): string => randomBytes(9).toString('hex');

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
export const exists = (error: unknown): boolean => codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTEMPTY';

export async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Writes the file unless it exists; true when this call made it. By a hard link from a finished file, so that the name never shows half a
 * content, whoever is killed when.
 */
export async function createOnce(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${randomName()}.tmp`;
  try {
    await writeDurably(temporary, content);
    await link(temporary, path);
    return true;
  } catch (error) {
    if (exists(error)) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomName()}.tmp`;
  await writeDurably(temporary, content);
  await rename(temporary, path);
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

export const touch = async (path: string): Promise<void> => {
  await writeFile(path, '', { flag: 'a', mode: 0o600 });
};
