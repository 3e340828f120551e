import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const everyMs = 1_000;

export interface SizeWatch {
  /** Aborts with the error as soon as the folder is seen to be too large, and with the reason of the outer signal. */
  signal: AbortSignal;
  /** Looks now: throws what the signal aborts with. */
  look(): Promise<void>;
}

/** Watches what a program writes into a folder: nobody says beforehand how much a repository will send. */
export async function withSizeWatch<T>(
  folder: string,
  maxBytes: number,
  tooLarge: () => Error,
  outer: AbortSignal,
  work: (watch: SizeWatch) => Promise<T>,
): Promise<T> {
  const large = new AbortController();
  const signal = AbortSignal.any([outer, large.signal]);
  const look = async (): Promise<void> => {
    if (!(await isBelow(folder, maxBytes))) large.abort(tooLarge());
    signal.throwIfAborted();
  };
  let looking = Promise.resolve();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    looking = look()
      .catch(() => undefined)
      .then(() => void (isLooking = false));
  }, everyMs);
  try {
    return await work({ signal, look });
  } finally {
    clearInterval(timer);
    await looking;
  }
}

async function isBelow(folder: string, maxBytes: number): Promise<boolean> {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    // Files come and go while git works.
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
      if (bytes > maxBytes) return false;
    }
  }
  return true;
}
