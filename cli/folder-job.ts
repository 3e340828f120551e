import { existsSync, mkdtempSync, openAsBlob, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { create } from 'tar';
import { DavitError } from '../domain/errors.js';
import type { Api, DavitClient } from '../client/index.js';
import { given } from './commands/options.js';

/** A folder as a code job: what of it travels, what runs in it, and the upload. */

/** Never part of a job: version control, what wandb and Python leave behind. Environments are known by the file that makes them one. */
const leftOut = new Set([
  '.git',
  '.hg',
  '.svn',
  'wandb',
  '__pycache__',
  '.ipynb_checkpoints',
  '.DS_Store',
  'node_modules',
]);

function isWanted(root: string, path: string): boolean {
  const name = basename(path);
  if (leftOut.has(name) || name.endsWith('.pyc')) return false;
  return !existsSync(join(root, path, 'pyvenv.cfg'));
}

/** A name for the job of a folder, of the letters that names may have. */
export function nameOfFolder(folder: string): string {
  const name = basename(resolve(folder))
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name === '' ? 'job' : name;
}

/** What is most likely meant to be run: the one script, or the one of a usual name. */
export function guessEntryPoint(folder: string): string {
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.py'));
  const usual = ['train.py', 'main.py', 'run.py'].find((name) => scripts.includes(name));
  const script = usual ?? (scripts.length === 1 ? scripts[0] : undefined);
  if (script !== undefined) return JSON.stringify(['python', script]);
  const found =
    scripts.length === 0
      ? 'there is no .py file'
      : `there are ${scripts.length} .py files and none is called train.py or main.py`;
  throw new DavitError('missing-entry-point', `What in ${folder} should run? In its top folder ${found}.`);
}

/** The words of an entry point that is a JSON list, for showing. */
export const wordsOfEntryPoint = (entryPoint: string): string =>
  entryPoint.startsWith('[') ? (JSON.parse(entryPoint) as string[]).join(' ') : entryPoint;

export interface FolderJob {
  folder: string;
  entity: string;
  project: string;
  job: string;
  entryPoint: string;
  pythonVersion?: string;
  aliases?: string[];
  description?: string;
  dockerfile?: string;
  buildContext?: string;
  baseImage?: string;
}

/** Uploads the folder as a version of the job; the same files again are the version that is there. */
export async function uploadFolder(client: DavitClient, job: FolderJob): Promise<Api<'CreatedJobVersion'>> {
  const { folder, entity, project, entryPoint, pythonVersion, aliases, description, ...build } = job;
  const { dockerfile, buildContext, baseImage } = build;
  const work = mkdtempSync(join(tmpdir(), 'davit-upload-'));
  try {
    const archive = join(work, 'code.tar.gz');
    const entries = readdirSync(folder).filter((name) => isWanted(folder, name));
    if (entries.length === 0) throw new DavitError('code-invalid', `The folder ${folder} is empty.`);
    await create(
      { file: archive, cwd: folder, gzip: true, portable: true, filter: (path) => isWanted(folder, path) },
      entries,
    );
    const { data } = await client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions', {
      params: {
        path: { entity, project, job: job.job },
        query: {
          entryPoint,
          ...(pythonVersion === undefined ? {} : { pythonVersion }),
          ...(aliases === undefined || aliases.length === 0 ? {} : { alias: aliases.join(',') }),
          ...given({ description, dockerfile, buildContext, baseImage }),
        },
      },
      headers: { 'Content-Type': 'application/gzip' },
      // From the disk, as it is: the document calls a binary body a string.
      body: (await openAsBlob(archive)) as unknown as string,
      bodySerializer: (body) => body,
    });
    if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
    return data;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Text of a file that was named on the command line. */
export function readNamedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DavitError(
      'wrong-usage',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
