import { linkSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { isErrno, readJsonIfThere, writeSynced, writeWhole } from './files.js';
import { begunOf, isSameProcess } from './process-identity.js';

/**
 * One `davit up` for a data folder, without help of the system (Node has no flock).
 *
 * Locks are numbered files `run/lock.<n>`; who made the highest number holds the folder while it lives. A new holder
 * makes number n + 1 by link(2), which succeeds for one contender only and shows the file with its full content.
 * Nothing is ever taken away from under another: a dead holder is outnumbered, not deleted, so that no late contender
 * can delete a fresh lock that it takes for the stale one. A contender that acted on an old listing finds a higher
 * number when it looks again, and backs out. The highest number stays on release, marked as such, so numbers never
 * fall; the one below it stays too, so that a listing made while they change still shows one of the two.
 */
export interface Lock {
  release(): void;
}

export interface Holder {
  pid: number;
  since: string;
}

const holderSchema = z.object({ pid: z.number(), begun: z.string(), since: z.string(), released: z.boolean() });
type HolderFile = z.infer<typeof holderSchema>;

export function takeLock(runFolder: string): Lock {
  const begun = begunOf(process.pid);
  if (begun === null) throw new DavitError('internal', 'This process cannot find its own start time.');
  const mine: HolderFile = { pid: process.pid, begun, since: new Date().toISOString(), released: false };
  const draft = join(runFolder, `.lock.${process.pid}`);
  writeSynced(draft, JSON.stringify(mine));
  try {
    for (;;) {
      const highest = highestNumber(runFolder);
      const other = readHolderFile(runFolder, highest);
      if (other !== null && isLive(other)) throw inUse(runFolder, other);
      const number = highest + 1;
      const path = lockPath(runFolder, number);
      try {
        linkSync(draft, path);
      } catch (error) {
        if (isErrno(error, 'EEXIST')) continue;
        throw error;
      }
      if (highestNumber(runFolder) !== number) {
        rmSync(path, { force: true });
        continue;
      }
      for (const old of numbers(runFolder)) if (old < number - 1) rmSync(lockPath(runFolder, old), { force: true });
      return { release: () => writeWhole(path, JSON.stringify({ ...mine, released: true })) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The living holder of a data folder, or null. */
export function lockHolder(runFolder: string): Holder | null {
  const holder = readHolderFile(runFolder, highestNumber(runFolder));
  return holder !== null && isLive(holder) ? { pid: holder.pid, since: holder.since } : null;
}

const lockPath = (runFolder: string, number: number) => join(runFolder, `lock.${number}`);
const isLive = (holder: HolderFile) => !holder.released && isSameProcess(holder);

function numbers(runFolder: string): number[] {
  try {
    return readdirSync(runFolder).flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice(5))] : []));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

const highestNumber = (runFolder: string) => Math.max(0, ...numbers(runFolder));

function readHolderFile(runFolder: string, number: number): HolderFile | null {
  return holderSchema.safeParse(readJsonIfThere(lockPath(runFolder, number))).data ?? null;
}

function inUse(runFolder: string, holder: HolderFile): DavitError {
  const root = join(runFolder, '..');
  return new DavitError(
    'home-in-use',
    `davit up already works on ${root}: process ${holder.pid}, since ${holder.since}.`,
    {
      extra: { pid: holder.pid, since: holder.since },
    },
  );
}
