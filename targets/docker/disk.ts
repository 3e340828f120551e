import { mkdir, readFile, rename, statfs, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { LaunchError } from '../../domain/errors.js';
import type { DockerTargetConfig } from './config.js';
import { type Engine, EngineAway } from './engine.js';
import { bytesInWords } from './sizes.js';

const usesSchema = z.record(z.string(), z.number());

/**
 * Keeps some room on the Engine's disk, where it can be seen from here. What makes way are containers of jobs that have ended, then images that
 * this agent has pulled, the longest unused first; never an image that was there before, and never one that a container needs.
 */
export class Disk {
  private rootFolder: Promise<string | undefined> | undefined;
  private change: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly config: DockerTargetConfig,
    /** Removes containers that nobody needs any more, whatever their age. */
    private readonly removeOld: () => Promise<void>,
  ) {}

  /** Undefined: the Engine's disk cannot be seen from here. */
  async freeBytes(): Promise<number | undefined> {
    if (!this.engine.isLocal) return undefined;
    try {
      this.rootFolder ??= this.engine
        .call((docker) => docker.info() as Promise<{ DockerRootDir?: string }>)
        .then((info) => info.DockerRootDir);
      const folder = await this.rootFolder;
      if (folder === undefined) return undefined;
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if (error instanceof EngineAway) this.rootFolder = undefined;
      return undefined;
    }
  }

  async makeRoom({ signal, onLog }: { signal: AbortSignal; onLog(text: string): void }): Promise<void> {
    const floor = this.config.diskFloorBytes;
    const isLow = async (): Promise<boolean> => ((await this.freeBytes()) ?? Infinity) < floor;
    if (floor === 0 || !(await isLow())) return;
    onLog(`Less than ${bytesInWords(floor)} is free on the Engine's disk: what is not needed makes way.\n`);
    await this.removeOld();
    for (const image of await this.leastRecent()) {
      signal.throwIfAborted();
      if (!(await isLow())) return;
      const removed = await this.engine
        .call((docker) => docker.getImage(image).remove({ force: false }), { ms: 120_000 })
        .then(() => true)
        .catch(() => false);
      if (removed) onLog(`Removed the image ${image}.\n`);
      await this.forget(image);
    }
    if (!(await isLow())) return;
    const free = bytesInWords((await this.freeBytes()) ?? 0);
    throw new LaunchError(
      'disk-full',
      'prepare',
      `Only ${free} is free on the Engine's disk, less than the ${bytesInWords(floor)} that are kept free, and nothing more can make way.`,
    );
  }

  /** `pulledNow`: it was not there before, so it is ours to remove. */
  used(image: string, { pulledNow = false } = {}): Promise<void> {
    return this.changed((uses) => {
      if (pulledNow || Object.hasOwn(uses, image)) uses[image] = Date.now();
    });
  }

  private forget(image: string): Promise<void> {
    return this.changed((uses) => {
      delete uses[image];
    });
  }

  private async leastRecent(): Promise<string[]> {
    return Object.entries(await this.read())
      .sort(([, a], [, b]) => a - b)
      .map(([image]) => image);
  }

  private get file(): string {
    return join(this.config.workFolder, 'docker', 'images.json');
  }

  private async read(): Promise<Record<string, number>> {
    try {
      return usesSchema.parse(JSON.parse(await readFile(this.file, 'utf8')));
    } catch {
      return {};
    }
  }

  private async changed(change: (uses: Record<string, number>) => void): Promise<void> {
    this.change = this.change.then(async () => {
      const uses = await this.read();
      const before = JSON.stringify(uses);
      change(uses);
      if (JSON.stringify(uses) === before) return;
      const draft = `${this.file}.${randomBytes(4).toString('hex')}`;
      await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
      await writeFile(draft, JSON.stringify(uses), { mode: 0o600 });
      await rename(draft, this.file);
    });
    const done = this.change;
    this.change = done.catch(() => undefined);
    await done;
  }
}
