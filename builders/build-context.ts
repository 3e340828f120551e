import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, posix, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import dockerIgnore from '@balena/dockerignore';
import { create, Header } from 'tar';
import { LaunchError } from '../domain/errors.js';

/** What is sent to a builder: the Dockerfile, files of our own, and a folder. */
export interface ContextParts {
  /** Path in the archive → text. */
  files: Record<string, string>;
  folder: string;
  /** Where the folder's content lies in the archive; '' = its root. */
  prefix: string;
  /** Leave out what the folder's `.dockerignore` names: whoever wrote a Dockerfile expects it. */
  obeysDockerIgnore: boolean;
}

/** Times are no part of what is built, so they are all the same. */
const mtime = new Date(Date.UTC(1980, 0, 1));

/** The archive as it is sent. Each call reads the folder anew. */
export async function contextArchive({ files, folder, prefix, obeysDockerIgnore }: ContextParts): Promise<Readable> {
  const ignored = obeysDockerIgnore ? await ignoreRules(folder) : () => false;
  const pack = create(
    {
      cwd: folder,
      portable: true,
      mtime,
      ...(prefix === '' ? {} : { prefix }),
      filter: (path, entry) => {
        const inside = posix.normalize(path.split(sep).join('/'));
        return inside === '.' || !ignored(inside, 'isDirectory' in entry && entry.isDirectory());
      },
    },
    ['.'],
  );
  async function* all(): AsyncGenerator<Buffer> {
    for (const [path, text] of Object.entries(files)) yield fileBlocks(path, text);
    for await (const chunk of pack as unknown as AsyncIterable<Buffer>) yield chunk;
  }
  return Readable.from(all(), { objectMode: false });
}

const blockBytes = 512;

/** One file of an archive. */
export function fileBlocks(path: string, text: string): Buffer {
  const data = Buffer.from(text);
  const block = Buffer.alloc(blockBytes);
  new Header({ path, size: data.length, mode: 0o644, mtime, uid: 0, gid: 0, type: 'File' }).encode(block, 0);
  return Buffer.concat([block, data, Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes)]);
}

async function ignoreRules(folder: string): Promise<(path: string, isFolder: boolean) => boolean> {
  const text = await textFile(join(folder, '.dockerignore'));
  if (text === undefined) return () => false;
  const rules = dockerIgnore.default({ ignorecase: false }).add(text);
  // A later rule may take a file of a folder in again.
  const hasExceptions = /^\s*!/m.test(text);
  return (path, isFolder) => !(isFolder && hasExceptions) && rules.ignores(path);
}

/** No Dockerfile and no list of packages is larger, and it is held in memory whole. */
const maxTextBytes = 1024 * 1024;

/** The text of a file of the code, undefined when there is none. */
export async function textFile(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > maxTextBytes)
      throw new LaunchError(
        'code-invalid',
        'prepare',
        `The code cannot be used: its ${basename(path)} is larger than 1 MiB.`,
      );
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** The text of a file that a job names; links may not lead out of the source. */
export async function textInside(source: string, path: string, what: string): Promise<string> {
  const text = await textFile(await insideSource(source, path, what));
  if (text === undefined) throw new LaunchError('build-failed', 'prepare', `The ${what} "${path}" is not a file.`);
  return text;
}

/** A path of the job as one of this machine; links may not lead out of the source. */
export async function insideSource(source: string, path: string, what: string): Promise<string> {
  const refuse = (why: string): LaunchError =>
    new LaunchError('build-failed', 'prepare', `The ${what} "${path}" ${why}.`);
  if (path.startsWith('/') || path.includes('\0') || path.split('/').includes('..'))
    throw refuse('lies outside the code');
  const root = await realpath(source);
  let real: string;
  try {
    real = await realpath(join(root, path));
  } catch {
    throw refuse('is not in the code');
  }
  if (real !== root && (relative(root, real).startsWith('..') || relative(root, real) === ''))
    throw refuse('lies outside the code');
  return real;
}
