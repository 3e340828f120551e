import type { ContainerInspectInfo } from 'dockerode';
import type { JobStatus } from '../../domain/job-plan.js';
import { type Engine, isConflict, isMissing, orMissing } from './engine.js';
import { hasMark, rememberedEnd, removeMark, setEndMark } from './marks.js';
import { label, ownerOf } from './names.js';
import { bytesInWords } from './sizes.js';
import { fateOf } from './submitter.js';

/** A container whose creator cannot be seen from here is given this long to be started. */
const startPatienceMs = 60_000;

export const inspect = (engine: Engine, nameOrId: string): Promise<ContainerInspectInfo | undefined> =>
  orMissing(engine.call((docker, abortSignal) => docker.getContainer(nameOrId).inspect({ abortSignal })));

const never = '0001-01-01T00:00:00Z';
/** The Engine keeps the time of the first start for good, so this cannot be undone by an end or a restart of the Engine. */
export const wasStarted = ({ State }: ContainerInspectInfo): boolean =>
  State.Status !== 'created' || State.StartedAt > never;

/** What there is to say about the job now; settles what nobody else is left to settle. */
export async function jobStatus(engine: Engine, name: string): Promise<JobStatus | undefined> {
  const container = await inspect(engine, name);
  if (!container) return rememberedEnd(engine, name);
  const owner = ownerOf(container.Config.Labels);
  // Somebody else's container under our name: there is no job of ours.
  if (owner?.name !== name) return undefined;
  if (!wasStarted(container)) {
    if (!(await isAbandoned(container))) return { ...owner, state: 'starting' };
    return (await settle(engine, container, name)) === 'gone' ? undefined : jobStatus(engine, name);
  }
  if (!hasEnded(container)) return running(container);
  const wasKilled = await hasMark(engine, name, 'killed');
  const wasSeen = await remembers(engine, container.Id, 'die', container.State.FinishedAt);
  const note = wasSeen === 'no' ? { note: outputMayBeCut } : {};
  // An Engine that finds a job of its earlier life gone says 255, like a job that says so itself; but of that one it heard.
  if (!wasKilled && wasSeen === 'no' && container.State.ExitCode === 255) {
    const { exitCode: _, ...status } = ended(container, false);
    const reason = 'It ended while its Engine was away, which does not know how.';
    return { ...status, ...note, lost: true, reason };
  }
  return { ...ended(wasKilled ? container : await withCause(engine, container), wasKilled), ...note };
}

/** What a job says while its Engine is away waits for it in a pipe, and is thrown away with that when the job ends. */
const outputMayBeCut =
  'Its Engine went down while the job ran or after it: if it was away at the end, what the job said last is missing in its log.';

/**
 * Of a container that was never started, as the Engine says, and that nobody will start any more: removes it. An Engine that was killed while it
 * started the container may have forgotten that it did, while the job runs: what is not known is not repeated.
 */
export async function settle(
  engine: Engine,
  container: ContainerInspectInfo,
  name: string,
): Promise<'gone' | 'lost' | 'started'> {
  const owner = ownerOf(container.Config.Labels);
  const isAsked = owner !== undefined && (await hasMark(engine, name, 'job'));
  if (!isAsked || (await remembers(engine, container.Id, 'create', container.Created)) === 'yes')
    return (await discard(engine, container.Id, name)) ? 'gone' : 'started';
  await forget(engine, container.Id, { ...owner, node: `container ${container.Id.slice(0, 12)}` });
  return 'lost';
}

/** The end of a job of which the Engine does not know that it began. */
export async function forget(engine: Engine, id: string, job: Omit<JobStatus, 'state'>): Promise<void> {
  const reason =
    'Its Engine went down while it started the job, and does not know whether it did; it is not started again.';
  await setEndMark(engine, { ...job, state: 'ended', endedAtMs: Date.now(), lost: true, reason });
  await orMissing(engine.call((docker) => docker.getContainer(id).remove({ force: true, v: true })));
}

/**
 * Engines keep their last events in memory only: one that was started again since then knows nothing of this. When it had many others to keep
 * nobody can say.
 */
async function remembers(
  engine: Engine,
  id: string,
  event: 'create' | 'die',
  at: string,
): Promise<'yes' | 'no' | 'unknown'> {
  const query = { since: Math.floor(Date.parse(at) / 1000) - 5, until: Math.ceil(Date.now() / 1000) };
  const own = { type: ['container'], container: [id], event: [event] };
  if ((await eventsOf(engine, { ...query, filters: own as never })) !== '') return 'yes';
  const all = await eventsOf(engine, { ...query, filters: {} as never });
  return all.split('\n').length >= eventsKept ? 'unknown' : 'no';
}

const eventsKept = 256;

function eventsOf(engine: Engine, query: { since: number; until: number; filters: never }): Promise<string> {
  return engine.call(async (docker) => {
    let text = '';
    for await (const chunk of await docker.getEvents(query)) text += String(chunk);
    return text.trim();
  });
}

/** Measured on a busy machine: the Engine may hear half a second after the end why it came. */
const causeComesWithinMs = 2_000;

/** What the Engine notes of a lack of memory is right only when it heard of it before the end; its events tell in both cases. */
async function withCause(engine: Engine, container: ContainerInspectInfo): Promise<ContainerInspectInfo> {
  const { State, HostConfig, Id } = container;
  if (State.ExitCode !== 137 || State.OOMKilled || (HostConfig.Memory ?? 0) === 0) return container;
  const endedAtMs = Date.parse(State.FinishedAt);
  const isFresh = Math.abs(Date.now() - endedAtMs) < causeComesWithinMs;
  const query = {
    since: Math.floor(Date.parse(State.StartedAt) / 1000) - 1,
    // In the future it is waited for.
    until: Math.ceil(Math.max(Date.now(), isFresh ? endedAtMs + causeComesWithinMs : 0) / 1000),
    filters: { type: ['container'], container: [Id], event: ['oom'] } as never,
  };
  return (await eventsOf(engine, query)) === '' ? container : { ...container, State: { ...State, OOMKilled: true } };
}

export const hasEnded = ({ State }: ContainerInspectInfo): boolean =>
  !State.Running && !State.Paused && !State.Restarting && State.Status !== 'created';

export async function isAbandoned(container: ContainerInspectInfo): Promise<boolean> {
  const fate = await fateOf(container.Config.Labels[label.submitter]);
  return fate === 'gone' || (fate === 'unknown' && Date.now() - Date.parse(container.Created) > startPatienceMs);
}

/**
 * Removes a container that was never started. False: it was started in this moment. Whoever meant to start it finds it gone, so whether its
 * creator lives need not be certain.
 */
export async function discard(engine: Engine, id: string, name: string): Promise<boolean> {
  // First the mark: the other way round a crash in between would leave a job that seems to have run and vanished.
  await removeMark(engine, name, 'job');
  try {
    await engine.call((docker) => docker.getContainer(id).remove({ force: false, v: true }));
  } catch (error) {
    if (isConflict(error)) return isBeingRemoved(error);
    if (!isMissing(error)) throw error;
  }
  return true;
}

const isBeingRemoved = (error: unknown): boolean => error instanceof Error && /already in progress/.test(error.message);

function common(container: ContainerInspectInfo): Omit<JobStatus, 'state'> {
  const owner = ownerOf(container.Config.Labels);
  if (!owner) throw new Error(`container ${container.Name} is no job`);
  const startedAtMs = Date.parse(container.State.StartedAt);
  return { ...owner, startedAtMs, node: `container ${container.Id.slice(0, 12)}` };
}

function running(container: ContainerInspectInfo): JobStatus {
  const { Paused } = container.State;
  return { ...common(container), state: 'running', ...(Paused ? { reason: 'Its container is paused.' } : {}) };
}

function ended(container: ContainerInspectInfo, wasKilled: boolean): JobStatus {
  const { ExitCode, OOMKilled, FinishedAt, Error: told } = container.State;
  const base = common(container);
  // The Engine takes the two times from two clocks: the end of a short job may lie before its start.
  const endedAtMs = Math.max(Date.parse(FinishedAt), base.startedAtMs ?? 0);
  const status: JobStatus = { ...base, state: 'ended', endedAtMs };
  if (wasKilled) status.killed = true;
  status.exitCode = ExitCode;
  const signal = signalOfExitCode(ExitCode);
  if (signal !== undefined) status.signal = signal;
  if (OOMKilled) {
    status.outOfMemory = true;
    const limit = container.HostConfig.Memory ?? 0;
    status.reason =
      limit > 0
        ? `It needed more memory than the ${bytesInWords(limit)} that it may use.`
        : 'The machine had no memory left for it.';
  } else if (ExitCode === 137 && !wasKilled && (container.HostConfig.Memory ?? 0) > 0) {
    // Now and then the Engine does not hear of it at all, and nobody can be sure.
    status.reason = `A job is ended like this when it needs more memory than the ${bytesInWords(container.HostConfig.Memory ?? 0)} that it may use.`;
  } else if (told !== '') status.reason = told.slice(0, 500);
  return status;
}

const signals: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

/** Containers are Linux wherever the agent runs; death by a signal is reported as 128 + its number. */
const signalOfExitCode = (code: number): string | undefined => signals[code - 128];
