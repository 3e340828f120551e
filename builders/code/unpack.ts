import { lstat, readdir, realpath, rename, rm } from 'node:fs/promises';
import { isAbsolute, join, posix, relative } from 'node:path';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Parser, x as extract, type ReadEntry } from 'tar';
import { LaunchError } from '../../domain/errors.js';
import { exists, makeFolder, orUndefined, randomName } from '../../targets/process/layout.js';

/** What an archive may be at most: it comes from whoever may make a job. */
export interface CodeLimits {
  maxCodeBytes: number;
  maxCodeFiles: number;
}

const plainTypes = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir', 'SymbolicLink', 'Link']);

/**
 * Fetches and unpacks the job's code unless it is there. It appears under its name in one step, so a folder `code` is a complete one,
 * whoever was killed on the way.
 */
export async function ensureCode(
  folder: { root: string; code: string },
  digest: string | undefined,
  limits: CodeLimits,
  fetchCode: (toFile: string) => Promise<void>,
  onLog: (text: string) => void,
): Promise<void> {
  if ((await orUndefined(lstat(folder.code))) !== undefined) return;
  if (digest === undefined) return makeFolder(folder.code);
  const work = join(folder.root, `fetch.${randomName()}`);
  const archive = join(work, 'code.tar.gz');
  const unpacked = join(work, 'code');
  try {
    await makeFolder(unpacked);
    await fetchCode(archive);
    const { files, bytes } = await checkArchive(archive, limits);
    await extract({ file: archive, cwd: unpacked, strict: true, preserveOwner: false });
    await checkLinks(await realpath(unpacked), unpacked);
    onLog(`Unpacked the code: ${files} files, ${bytes} bytes.\n`);
    await rename(unpacked, folder.code);
  } catch (error) {
    if (!exists(error)) throw error;
    // Somebody else finished first.
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Reads the whole archive before anything is written. */
async function checkArchive(archive: string, limits: CodeLimits): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  const source = createReadStream(archive);
  const check = (entry: ReadEntry): void => {
    files += 1;
    bytes += entry.size;
    const problem =
      problemOf(entry) ??
      (files > limits.maxCodeFiles ? `it holds more than ${limits.maxCodeFiles} files` : undefined) ??
      (bytes > limits.maxCodeBytes ? `it unpacks to more than ${limits.maxCodeBytes} bytes` : undefined);
    if (problem !== undefined)
      source.destroy(new LaunchError('code-invalid', 'prepare', `The code archive cannot be used: ${problem}.`));
    entry.resume();
  };
  const parser = new Parser({ strict: true, onReadEntry: check });
  try {
    await pipeline(source, parser as unknown as NodeJS.WritableStream);
  } catch (error) {
    if (error instanceof LaunchError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LaunchError('code-invalid', 'prepare', `The code archive cannot be read: ${reason}.`, error);
  }
  return { files, bytes };
}

function problemOf(entry: ReadEntry): string | undefined {
  const path = entry.path;
  if (!plainTypes.has(entry.type)) return `"${path}" is neither a file nor a folder (${entry.type})`;
  if (leaves(path)) return `"${path}" lies outside the folder`;
  if (path.includes('\0')) return 'a path holds a zero byte';
  const target = entry.linkpath ?? '';
  if (entry.type === 'Link' && leaves(target)) return `the link "${path}" leaves the folder`;
  if (entry.type === 'SymbolicLink' && (isAbsolute(target) || leaves(posix.join(posix.dirname(path), target)))) {
    return `the link "${path}" leaves the folder`;
  }
  return undefined;
}

const leaves = (path: string): boolean =>
  isAbsolute(path) || path.split('/').includes('..') || posix.normalize(path).startsWith('..');

/** Links that look harmless one by one may leave together (`a -> .`, `b -> a/..`): ask the file system. */
async function checkLinks(root: string, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await checkLinks(root, path);
    if (!entry.isSymbolicLink()) continue;
    const real = await orUndefined(realpath(path));
    if (real !== undefined && (real === root || !relative(root, real).startsWith('..'))) continue;
    if (real === undefined) continue; // points to nothing inside: harmless, and common
    throw new LaunchError(
      'code-invalid',
      'prepare',
      `The code archive cannot be used: the link "${relative(folder, path)}" leaves the folder.`,
    );
  }
}
