import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { LaunchError } from '../../domain/errors.js';
import type { DockerTargetConfig } from './config.js';
import { type Engine, EngineAway } from './engine.js';
import { builtImages, pruneBuildCache, type Removable, removeImage, sharedEnvironments } from './removable.js';
import { bytesInWords } from './sizes.js';
import { Uses } from './uses.js';

const rememberMs = 90 * 24 * 3600_000;

export interface RoomContext {
  signal: AbortSignal;
  onLog(text: string): void;
}

/**
 * Keeps some room on the Engine's disk, where it can be seen from here. What makes way are containers that nobody needs any more, then what
 * builds left, then what can be had again, the longest unused first: images that this agent has pulled, images that were made of code,
 * environments that jobs share. Never an image of somebody else's, and nothing that a container needs.
 */
export class Disk {
  private rootFolder: Promise<string | undefined> | undefined;
  private readonly pulled: Uses;
  private readonly made: Uses;

  constructor(
    private readonly engine: Engine,
    private readonly config: DockerTargetConfig,
    /** Removes containers that nobody needs any more, whatever their age. */
    private readonly removeOld: () => Promise<void>,
  ) {
    this.pulled = new Uses(join(config.workFolder, 'docker', 'images.json'));
    this.made = new Uses(join(config.workFolder, 'docker', 'made.json'));
  }

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

  async makeRoom({ signal, onLog }: RoomContext): Promise<void> {
    const floor = this.config.diskFloorBytes;
    const isLow = async (): Promise<boolean> => ((await this.freeBytes()) ?? Infinity) < floor;
    if (floor === 0 || !(await isLow())) return;
    onLog(`Less than ${bytesInWords(floor)} is free on the Engine's disk: what is not needed makes way.\n`);
    await this.removeOld();
    if (await isLow()) await pruneBuildCache(this.engine);
    for (const { shown, remove } of await this.leastRecent()) {
      signal.throwIfAborted();
      if (!(await isLow())) return;
      if (await remove()) onLog(`Removed the ${shown}.\n`);
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
  usedImage(image: string, { pulledNow = false } = {}): Promise<void> {
    return this.pulled.changed((uses) => {
      if (pulledNow || Object.hasOwn(uses, image)) uses[image] = Date.now();
    });
  }

  /** Of what its label tells to be Davit's: the id of an image, or an environment. */
  used(key: string): Promise<void> {
    const nowMs = Date.now();
    return this.made.changed((uses) => {
      uses[key] = nowMs;
      // From then on it counts by when it was made, which is as long ago.
      for (const [each, atMs] of Object.entries(uses)) if (atMs < nowMs - rememberMs) delete uses[each];
    });
  }

  private async leastRecent(): Promise<Removable[]> {
    const made = [...(await builtImages(this.engine)), ...(await sharedEnvironments(this.engine))];
    const pulled = Object.entries(await this.pulled.all()).map(([image, usedAtMs]): Removable => {
      const remove = async (): Promise<boolean> => {
        const isRemoved = await removeImage(this.engine, image);
        await this.pulled.forget(image);
        return isRemoved;
      };
      return { key: image, shown: `image ${image}`, madeAtMs: usedAtMs, remove };
    });
    const uses = await this.made.all();
    const usedAtMs = ({ key, madeAtMs }: Removable): number => uses[key] ?? madeAtMs;
    return [...pulled, ...made].sort((a, b) => usedAtMs(a) - usedAtMs(b));
  }
}
