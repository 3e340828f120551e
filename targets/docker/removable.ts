import { tagOf } from '../../builders/inputs.js';
import type { Engine } from './engine.js';
import { isShared, removeEnvironment, wordOf } from './environment-volume.js';
import { label } from './names.js';

/** Something of Davit's making on an Engine that can be made again. */
export interface Removable {
  /** Under which its uses are kept. */
  key: string;
  shown: string;
  madeAtMs: number;
  /** False: it is in use, or gone. */
  remove(): Promise<boolean>;
}

const removalMs = 120_000;

export async function removeImage(engine: Engine, image: string): Promise<boolean> {
  return engine
    .call((docker) => docker.getImage(image).remove({ force: false }), { ms: removalMs })
    .then(() => true)
    .catch(() => false);
}

/**
 * Images that were made of code and that no container needs. Who makes an image on one of them inherits its labels: one that bears a name of
 * somebody else's is somebody else's.
 */
export async function builtImages(engine: Engine): Promise<Removable[]> {
  const filters = { label: [label.inputs] };
  const images = await engine.call((docker) => docker.listImages({ filters: filters as never }));
  const containers = await engine.call((docker) => docker.listContainers({ all: true }));
  const needed = new Set(containers.map(({ ImageID }) => ImageID));
  return images.flatMap(({ Id, RepoTags, Labels, Created }) => {
    const inputs = (Labels as Record<string, string> | null)?.[label.inputs] ?? '';
    const tags = ((RepoTags as string[] | null) ?? []).filter((tag) => !tag.endsWith(':<none>'));
    const isOurs = tags.every((tag) => tag.endsWith(`:${tagOf(inputs)}`));
    if (!isOurs || needed.has(Id)) return [];
    const remove = async (): Promise<boolean> => {
      let isRemoved = false;
      for (const name of tags.length === 0 ? [Id] : tags) isRemoved = (await removeImage(engine, name)) || isRemoved;
      // Until then nothing of it is freed: the cache has its layers, too.
      if (isRemoved) await pruneBuildCache(engine);
      return isRemoved;
    };
    return [{ key: Id, shown: `image ${tags[0] ?? Id}`, madeAtMs: Created * 1000, remove }];
  });
}

/** What builds left and no image shares. Costs time at the next build, nothing else. */
export async function pruneBuildCache(engine: Engine): Promise<void> {
  await engine.call((docker) => docker.pruneBuilder(), { ms: 10 * 60_000 }).catch(() => undefined);
}

/** Packages that jobs with the same requirements share. The Engine refuses to remove those that a container mounts. */
export async function sharedEnvironments(engine: Engine): Promise<Removable[]> {
  const filters = { label: [label.environment] };
  const { Volumes } = await engine.call((docker) => docker.listVolumes({ filters: filters as never }));
  return Volumes.filter((volume) => isShared(volume.Name) && wordOf(volume) !== undefined).map((volume) => ({
    key: volume.Name,
    shown: `environment ${volume.Name}`,
    madeAtMs: Date.parse((volume as { CreatedAt?: string }).CreatedAt ?? '') || 0,
    remove: () => removeEnvironment(engine, volume.Name),
  }));
}
