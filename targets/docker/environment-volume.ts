import { createHash, randomBytes } from 'node:crypto';
import { type Engine, isConflict, isMissing, orMissing } from './engine.js';
import { label } from './names.js';

/**
 * The packages of jobs, as volumes. One is whole when its mark is there, a volume beside it. Both bear a word that was drawn when the volume was
 * made: one that went and came anew (the Engine makes, empty, whatever a container names) is never taken for the one that was filled.
 *
 * A volume goes before its mark, and only when no container has it. So what is whole stays whole for a container that exists.
 */
export const ownEnvironment = (name: string): string => `${name}.environment`;
const sharedPrefix = 'davit-environment-';
export const sharedEnvironment = (imageId: string, lines: readonly string[]): string =>
  `${sharedPrefix}${createHash('sha256')
    .update(JSON.stringify([imageId, lines]))
    .digest('hex')
    .slice(0, 24)}`;

/** Not its mark, and not what belongs to one job. */
export const isShared = (volume: string): boolean => volume.startsWith(sharedPrefix) && !volume.includes('.');

const markOf = (volume: string, word: string): string => `${volume}.${word}`;

export const wordOf = (volume: { Labels?: Record<string, string> | null } | undefined): string | undefined =>
  volume?.Labels?.[label.word];

const inspectVolume = (engine: Engine, volume: string) =>
  orMissing(engine.call((docker) => docker.getVolume(volume).inspect()));

/** The word of the volume that there is, made if there was none; undefined: somebody else made it, empty. */
export async function makeVolume(engine: Engine, volume: string): Promise<string | undefined> {
  const Labels = { [label.environment]: volume, [label.word]: randomBytes(8).toString('hex') };
  await engine.call((docker) => docker.createVolume({ Name: volume, Labels }));
  return currentWord(engine, volume);
}

export const currentWord = async (engine: Engine, volume: string): Promise<string | undefined> =>
  wordOf(await inspectVolume(engine, volume));

export async function isComplete(engine: Engine, volume: string): Promise<boolean> {
  const word = await currentWord(engine, volume);
  return word !== undefined && (await inspectVolume(engine, markOf(volume, word))) !== undefined;
}

export async function setComplete(engine: Engine, volume: string, word: string): Promise<void> {
  const Labels = { [label.environment]: volume };
  await engine.call((docker) => docker.createVolume({ Name: markOf(volume, word), Labels }));
}

/** False: a container has it, or it was not there. */
export async function removeEnvironment(engine: Engine, volume: string): Promise<boolean> {
  const word = await currentWord(engine, volume);
  if (!(await removeVolume(engine, volume))) return false;
  if (word !== undefined) await removeVolume(engine, markOf(volume, word));
  return true;
}

export async function removeVolume(engine: Engine, volume: string): Promise<boolean> {
  try {
    await engine.call((docker) => docker.getVolume(volume).remove({}));
    return true;
  } catch (error) {
    if (!isMissing(error) && !isConflict(error)) throw error;
    return false;
  }
}

/** What says of a volume that is gone that it is whole: somebody was ended between the two. */
export async function removeStaleMarks(engine: Engine): Promise<void> {
  const filters = { label: [label.environment] };
  const { Volumes } = await engine.call((docker) => docker.listVolumes({ filters: filters as never }));
  const marks = new Set(Volumes.map((volume) => markOf(volume.Name, wordOf(volume) ?? '')));
  for (const { Name, Labels } of Volumes)
    if (Name !== Labels?.[label.environment] && !marks.has(Name)) await removeVolume(engine, Name);
}
