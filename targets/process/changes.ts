import { watch, type FSWatcher } from 'node:fs';

/**
 * Waits for something to happen to files, or for a time. The time is a net, not the means: notifications get lost on some file systems, and
 * some changes (a process that dies) make none.
 */
export class Changes {
  private readonly watchers = new Map<string, FSWatcher>();
  private changed = false;
  private wake: (() => void) | undefined;

  constructor(paths: readonly string[] = []) {
    for (const path of paths) this.watch(path);
  }

  /** False for what does not exist yet, and beyond the machine's limit of watches: then only the net is left. */
  watch(path: string): boolean {
    if (this.watchers.has(path)) return true;
    try {
      const watcher = watch(path, () => this.notify());
      watcher.on('error', () => this.unwatch(path));
      this.watchers.set(path, watcher);
      return true;
    } catch {
      return false;
    }
  }

  private unwatch(path: string): void {
    this.watchers.get(path)?.close();
    this.watchers.delete(path);
  }

  private notify(): void {
    this.changed = true;
    this.wake?.();
  }

  /** Returns at once when something happened since the last call. */
  async next(maxWaitMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.changed && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          this.wake = undefined;
          resolve();
        };
        const timer = setTimeout(done, maxWaitMs);
        signal?.addEventListener('abort', done, { once: true });
        this.wake = done;
      });
    }
    this.changed = false;
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }
}
