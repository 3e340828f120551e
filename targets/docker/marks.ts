import { z } from 'zod';
import type { JobStatus } from '../../domain/job-plan.js';
import { type Engine, isConflict, isMissing, orMissing } from './engine.js';
import { label, labels, ownerOf, type Owner } from './names.js';

/**
 * What must be known of a job beside its container is kept with the Engine too, where every agent of the place sees it: as empty volumes, the
 * one thing of an Engine that needs no image, has labels, and is made once however often it is asked for.
 *
 *   kill     the tombstone: from now on nothing starts under this name
 *   killed   its container was ended because of the tombstone
 *   job      its container was about to be started: if there is none, somebody removed it, and the job does not run a second time
 *   end      its outcome, for when the container is gone
 */
export type Mark = 'kill' | 'killed' | 'job' | 'end';
export const marks: readonly Mark[] = ['kill', 'killed', 'job', 'end'];

const volumeOf = (name: string, mark: Mark): string => `${name}.${mark}`;

export async function setMark(
  engine: Engine,
  name: string,
  mark: Mark,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await engine.call((docker) =>
    docker.createVolume({
      Name: volumeOf(name, mark),
      Driver: 'local',
      Labels: { [label.job]: name, [label.mark]: mark, ...more },
    }),
  );
}

/** The labels of the mark; undefined where it is not set. */
export async function readMark(engine: Engine, name: string, mark: Mark): Promise<Record<string, string> | undefined> {
  const volume = await orMissing(
    engine.call((docker, abortSignal) => docker.getVolume(volumeOf(name, mark)).inspect({ abortSignal })),
  );
  return volume && (volume.Labels ?? {});
}

export const hasMark = async (engine: Engine, name: string, mark: Mark): Promise<boolean> =>
  (await readMark(engine, name, mark)) !== undefined;

export async function removeMark(engine: Engine, name: string, mark: Mark): Promise<void> {
  try {
    await engine.call((docker) => docker.getVolume(volumeOf(name, mark)).remove({}));
  } catch (error) {
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

export const setJobMark = (engine: Engine, owner: Owner): Promise<void> =>
  setMark(engine, owner.name, 'job', { ...labels.ofPlan(owner), [label.agent]: owner.agentId });

export const setEndMark = (engine: Engine, status: JobStatus): Promise<void> =>
  setMark(engine, status.name, 'end', { [label.status]: JSON.stringify(status) });

const statusSchema = z.looseObject({
  name: z.string(),
  launchId: z.string(),
  attempt: z.number(),
  agentId: z.string(),
  state: z.literal('ended'),
});

/** How a job ended whose container is gone; undefined: it never began. */
export async function rememberedEnd(engine: Engine, name: string): Promise<JobStatus | undefined> {
  const end = await readMark(engine, name, 'end');
  const told = end?.[label.status];
  if (told !== undefined) {
    const parsed = statusSchema.safeParse(JSON.parse(told));
    if (parsed.success) return parsed.data;
  }
  const owner = ownerOf(await readMark(engine, name, 'job'));
  if (!owner) return undefined;
  const wasKilled = await hasMark(engine, name, 'killed');
  return {
    ...owner,
    state: 'ended',
    lost: true,
    ...(wasKilled ? { killed: true } : {}),
    reason: 'Its container was removed by somebody else.',
  };
}
