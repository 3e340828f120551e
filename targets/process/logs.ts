import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogPiece } from '../target.js';
import { Changes } from './changes.js';
import { type JobFolder, orUndefined, replaceFile, touch } from './layout.js';
import { cutFile, statusOf } from './state.js';

const pieceBytes = 64 * 1024;
const netMs = 5_000;
/** When the file is not there yet, or cannot be watched. */
const unwatchedNetMs = 250;
/** A job that prints single characters wakes us for each: let some gather. */
const gatherMs = 15;
/** How far a job may print beyond the limit before its file is cut back. */
const slackBytes = 4 * 1024 * 1024;

/**
 * Jobs write straight into files, with nobody in between who could die. Two prices are paid here. A job that prints without end fills the
 * disk: the file, opened for appending, is cut back to the limit again and again while somebody follows. And a job that opens /dev/stdout
 * anew (`tee /dev/stderr`) empties its own file: what was not read by then is lost, and `STREAM.base` keeps the count of bytes going on.
 */
export async function* readLog(
  folder: JobFolder,
  stream: 'stdout' | 'stderr',
  fromByte: number,
  signal: AbortSignal,
  maxBytes: number,
): AsyncGenerator<LogPiece> {
  const path = join(folder.root, stream);
  const baseFile = join(folder.root, `${stream}.base`);
  const changes = new Changes();
  let position = fromByte;
  let base = await readBase(baseFile);
  try {
    while (!signal.aborted) {
      const watched = [path, folder.state].every((each) => changes.watch(each));
      // Ended is asked before the last read: after it nothing is added.
      const status = await statusOf(folder);
      const ended = status?.state === 'ended';
      const size = await sizeOf(path);
      if (size !== undefined && base + size < position) {
        base = Math.max(position, await readBase(baseFile));
        await replaceFile(baseFile, `${base}\n`);
        position = base;
      }
      let data: Buffer | undefined;
      while (!signal.aborted && (data = await readAt(path, position - base, maxBytes - (position - base)))) {
        yield { fromByte: position, data, atMs: Date.now() };
        position += data.length;
      }
      if (ended) return;
      if (position - base >= maxBytes && ((await sizeOf(path)) ?? 0) > maxBytes + slackBytes) {
        await truncate(path, maxBytes);
        await touch(cutFile(folder, stream));
      }
      await changes.next(watched ? netMs : unwatchedNetMs, signal);
      await new Promise((resolve) => setTimeout(resolve, gatherMs));
    }
  } finally {
    changes.close();
  }
}

async function readAt(path: string, at: number, allowedBytes: number): Promise<Buffer | undefined> {
  if (allowedBytes <= 0) return undefined;
  const file = await orUndefined(open(path, 'r'));
  if (!file) return undefined;
  try {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, allowedBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await orUndefined(stat(path)))?.size;
}

async function readBase(file: string): Promise<number> {
  return Number((await orUndefined(readFile(file, 'utf8')))?.trim() ?? 0);
}
