import { once } from 'node:events';
import { copyFile, link, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, makeFolder, orUndefined, randomName } from '../../targets/process/layout.js';

export interface CodeCacheOptions {
  /** On a disk of this machine. Agents may share one. */
  folder: string;
  /** All archives together; what was not used for longest goes first. 0: nothing is kept. */
  maxBytes: number;
}

/** What a killed agent was still fetching is nobody's after this long. */
const abandonedMs = 24 * 3600_000;

/** Archives of code by digest, so that the second launch of a job fetches nothing. */
export class CodeCache {
  private readonly fetching = new Map<string, Promise<void>>();

  constructor(private readonly options: CodeCacheOptions) {}

  /**
   * Puts the archive of this digest at `toFile`, fetched only when it is not here. A fetch that fails leaves nothing behind. The signal ends the
   * waiting for somebody else's fetch; one's own has it already.
   */
  async take(
    digest: string,
    toFile: string,
    fetch: (toFile: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.options.maxBytes === 0 || !/^[0-9a-f]{16,128}$/.test(digest)) return fetch(toFile);
    const kept = join(this.options.folder, `${digest}.tar.gz`);
    for (;;) {
      if (await this.give(kept, toFile)) return;
      const other = this.fetching.get(digest);
      if (!other) break;
      // Whatever comes of it: then it is there, or the next one fetches.
      await endOf(other, signal);
    }
    const fetched = this.fetch(kept, toFile, fetch);
    this.fetching.set(digest, fetched);
    try {
      await fetched;
    } finally {
      this.fetching.delete(digest);
    }
  }

  private async give(kept: string, toFile: string): Promise<boolean> {
    try {
      await linkOrCopy(kept, toFile);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    const now = new Date();
    await orUndefined(utimes(kept, now, now));
    return true;
  }

  private async fetch(kept: string, toFile: string, fetch: (toFile: string) => Promise<void>): Promise<void> {
    await makeFolder(this.options.folder);
    const part = join(this.options.folder, `${randomName()}.part`);
    try {
      await fetch(part);
      await linkOrCopy(part, toFile);
      if ((await stat(part)).size <= this.options.maxBytes) await rename(part, kept);
    } finally {
      await rm(part, { force: true });
    }
    await this.shrink();
  }

  /** Who was given an archive has a name of its own for it, so one in use may be removed, too. */
  private async shrink(): Promise<void> {
    const files: { path: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.options.folder)) {
      const path = join(this.options.folder, name);
      const found = await orUndefined(stat(path));
      if (!found) continue;
      if (name.endsWith('.tar.gz')) files.push({ path, bytes: found.size, usedMs: found.mtimeMs });
      else if (/\.(part|git-work)$/.test(name) && Date.now() - found.mtimeMs > abandonedMs)
        await rm(path, { recursive: true, force: true });
    }
    files.sort((a, b) => b.usedMs - a.usedMs);
    let total = 0;
    for (const { path, bytes } of files) {
      total += bytes;
      if (total > this.options.maxBytes) await rm(path, { force: true });
    }
  }
}

/** Throws only what the signal says. */
async function endOf(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal });
  await Promise.race([work, aborted]).catch(() => undefined);
  over.abort();
  await aborted.catch(() => undefined);
  signal.throwIfAborted();
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (isMissing(error)) throw error;
    // Another disk, or a file system without links.
    await copyFile(from, to);
  }
}
