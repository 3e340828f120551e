import { posix } from 'node:path';
import type { ContainerInspectInfo } from 'dockerode';
import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import type { SubmitContext } from '../target.js';
import { archiveOfCode } from './code.js';
import type { DockerTargetConfig } from './config.js';
import { type Engine, EngineAway, isConflict, isMissing, reasonOf, statusOf } from './engine.js';
import { isComplete } from './environment-volume.js';
import { hasMark, rememberedEnd, setJobMark } from './marks.js';
import { label, ownerOf } from './names.js';
import { codeFolder, environmentFolder, specOf } from './plan.js';
import type { JobFolders, Prepared } from './prepared.js';
import { requireProgram } from './program.js';
import { discard, forget, inspect, isAbandoned, settle, wasStarted } from './status.js';
import { beginSubmission } from './submitter.js';
import type { Watcher } from './watcher.js';

export interface Submitting {
  engine: Engine;
  watcher: Watcher;
  folders: JobFolders;
  config: DockerTargetConfig;
}

/**
 * Create-or-adopt. The name of a container is unique on its Engine, so of those who create it one succeeds, and that one starts it, nobody
 * else: started once is started by its creator. Killed before the start, it leaves a container that was never started; whoever finds it
 * removes it, and the name is free again. The tombstone is looked for after the container exists and before it starts: a kill that comes
 * later finds the container.
 */
export async function submitJob(
  parts: Submitting,
  plan: JobPlan,
  context: SubmitContext,
): Promise<{ adopted: boolean }> {
  const deadlineMs = Date.now() + parts.config.patienceMs;
  const watched = parts.watcher.watch(plan.name);
  try {
    for (;;) {
      context.signal.throwIfAborted();
      try {
        const answer = await tryOnce(parts, plan, context);
        if (answer) return answer;
        await watched.next(context.signal);
      } catch (error) {
        // Whether the call that broke did anything is seen at the next turn.
        if (!(error instanceof EngineAway) || Date.now() > deadlineMs) throw error;
        await watched.next(context.signal);
      }
    }
  } finally {
    watched.close();
  }
}

/** Undefined: somebody else is about to start it, or the container went away under our hands; look again. */
async function tryOnce(
  parts: Submitting,
  plan: JobPlan,
  context: SubmitContext,
): Promise<{ adopted: boolean } | undefined> {
  const { engine } = parts;
  const { name } = plan;
  await refuseKilled(engine, name);
  const existing = await inspect(engine, name);
  if (existing) return adopt(engine, name, existing);
  if (await rememberedEnd(engine, name)) return { adopted: true };

  const submission = await beginSubmission();
  try {
    const body = await containerBody(parts, plan, context, submission.label);
    let id: string;
    try {
      const { platform } = specOf(plan);
      const query = { name, ...(platform === undefined ? {} : { platform }) };
      // Apart, or the client writes the body into the address, variables and all.
      const request = { _query: query, _body: body } as never;
      id = (await engine.call((docker) => docker.createContainer(request), { ms: 120_000 })).id;
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
    return await begin(parts, plan, context, id, body);
  } finally {
    submission.over();
  }
}

async function adopt(
  engine: Engine,
  name: string,
  container: ContainerInspectInfo,
): Promise<{ adopted: true } | undefined> {
  if (ownerOf(container.Config.Labels)?.name !== name) {
    throw new LaunchError(
      'submit-failed',
      'submit',
      `The Engine has a container named ${name} that Davit did not make; remove or rename it.`,
    );
  }
  if (wasStarted(container)) return { adopted: true };
  if (await isAbandoned(container)) await settle(engine, container, name);
  return undefined;
}

/** The container is ours: fills and starts it. */
async function begin(
  parts: Submitting,
  plan: JobPlan,
  context: SubmitContext,
  id: string,
  body: Record<string, unknown>,
): Promise<{ adopted: boolean } | undefined> {
  const { engine, folders } = parts;
  try {
    const prepared = await folders.read(plan.name);
    await requireEnvironment(engine, prepared?.environmentVolume);
    if (prepared?.hasCode === true) await bringCode(parts, plan, id);
    await requireProgram(engine, id, body, prepared?.path);
    await refuseKilled(engine, plan.name);
    context.signal.throwIfAborted();
    await setJobMark(engine, { ...plan, agentId: context.agentId });
    return await startContainer(parts, plan, context, id);
  } catch (error) {
    if (isMissing(error) && !(await inspect(engine, id))) return undefined;
    if (error instanceof EngineAway && (await stateAfterSilence(parts, id, context)) === 'gone') return undefined;
    await discard(engine, id, plan.name).catch(() => undefined);
    throw error instanceof EngineAway || statusOf(error) === undefined ? error : startFailure(error, plan);
  }
}

/** An Engine that goes away more often than this while one container starts is not well. */
const mostAbsences = 10;

/** Undefined: the container went away under our hands. */
async function startContainer(
  parts: Submitting,
  plan: JobPlan,
  context: SubmitContext,
  id: string,
): Promise<{ adopted: boolean } | undefined> {
  const { engine } = parts;
  for (let absences = 1; ; absences++) {
    try {
      await engine.call((docker) => docker.getContainer(id).start({}), { ms: 120_000 });
      return { adopted: false };
    } catch (error) {
      if (statusOf(error) === 304) return { adopted: false };
      if (isForgotten(error)) {
        const { launchId, attempt, name } = plan;
        await forget(engine, id, { name, launchId, attempt, agentId: context.agentId });
        return { adopted: true };
      }
      if (!(error instanceof EngineAway)) throw error;
      const state = await stateAfterSilence(parts, id, context);
      if (state === 'started') return { adopted: false };
      if (state === 'gone') return undefined;
      // This very container once more, no other: where it runs and its Engine has forgotten it, that start is refused.
      if (absences > mostAbsences) throw error;
    }
  }
}

/** Its containerd has the job, and the Engine does not know. */
const isForgotten = (error: unknown): boolean => statusOf(error) === 500 && /id already in use/.test(reasonOf(error));

/** The Engine did not answer our start: did it hear it? Only we would start this container, so what it says now stays true. */
async function stateAfterSilence(
  { engine, config }: Submitting,
  id: string,
  { signal }: SubmitContext,
): Promise<'started' | 'waiting' | 'gone'> {
  const found = await engine.patiently((docker) => docker.getContainer(id).inspect().catch(asUndefined), {
    signal,
    patienceMs: config.patienceMs,
  });
  if (!found) return 'gone';
  return wasStarted(found) ? 'started' : 'waiting';
}

function asUndefined(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}

async function refuseKilled(engine: Engine, name: string): Promise<void> {
  if (await hasMark(engine, name, 'kill')) throw new LaunchError('submit-after-kill', 'submit');
}

/** Asked when the container exists, which keeps it from being removed. */
async function requireEnvironment(engine: Engine, volume: string | undefined): Promise<void> {
  if (volume === undefined || (await isComplete(engine, volume))) return;
  throw new LaunchError(
    'disk-full',
    'submit',
    "The packages that were installed for the job made way before it was started: there is too little room on the Engine's disk.",
  );
}

async function bringCode({ engine, folders }: Submitting, plan: JobPlan, id: string): Promise<void> {
  const archive = archiveOfCode(folders.code(plan.name));
  await engine.call((docker) => docker.getContainer(id).putArchive(archive, { path: '/' }), { ms: 30 * 60_000 });
}

async function containerBody(
  { folders }: Submitting,
  plan: JobPlan,
  context: SubmitContext,
  submitter: string,
): Promise<Record<string, unknown>> {
  const spec = specOf(plan);
  const prepared = await folders.read(plan.name);
  if (!prepared) {
    throw new LaunchError(
      'submit-failed',
      'submit',
      'The job was not prepared on this machine, or its folder was cleaned up.',
    );
  }
  const { container } = spec;
  const { Binds } = container.HostConfig as { Binds?: string[] };
  const environment = { ...spec.environment, ...environmentOf(prepared), ...context.secrets };
  const ownLabels = {
    [label.agent]: context.agentId,
    [label.submitter]: submitter,
    [label.image]: spec.image,
    ...(spec.graceSeconds === undefined ? {} : { [label.grace]: String(spec.graceSeconds) }),
  };
  const folder = workingFolder(container.WorkingDir, prepared);
  return {
    ...container,
    Image: prepared.imageId,
    // What is relative is meant within the folder that the image works in.
    ...(folder === undefined ? {} : { WorkingDir: posix.resolve('/', prepared.workingDir, folder) }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...(container['Labels'] as Record<string, string> | undefined), ...ownLabels },
    Tty: false,
    OpenStdin: false,
    HostConfig: {
      ...container.HostConfig,
      ...(prepared.environmentVolume === undefined
        ? {}
        : { Binds: [...(Binds ?? []), `${prepared.environmentVolume}:${environmentFolder}:ro`] }),
    },
  };
}

/** The plan does not know yet where the code lies in an image that is made of it. */
function workingFolder(planned: string | undefined, { isBuilt }: Prepared): string | undefined {
  if (!isBuilt || planned === undefined) return planned;
  const inside = posix.relative(codeFolder, planned);
  return inside.startsWith('..') ? planned : inside || '.';
}

function environmentOf(prepared: Prepared): Record<string, string> {
  if (prepared.environmentVolume === undefined) return {};
  const path = prepared.path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return { PATH: `${environmentFolder}/bin:${path}`, VIRTUAL_ENV: environmentFolder };
}

/** What the Engine says when it cannot start something is a chain of programs that failed; its last link is the reason. */
function startFailure(error: unknown, plan: JobPlan): LaunchError {
  const reason = reasonOf(error);
  if (/executable file not found|no such file or directory: unknown|permission denied: unknown/.test(reason)) {
    const program = /exec: "([^"]+)"/.exec(reason)?.[1] ?? plan.command[0] ?? 'the entry point';
    const why = reason.includes('permission denied') ? 'may not be executed' : 'is not in the image';
    return new LaunchError('command-not-found', 'submit', `"${program}" ${why}.`, error);
  }
  const last = reason
    .split(/: (?=[a-z])/)
    .slice(-2)
    .join(': ');
  if (/could not select device driver|nvidia|gpu/i.test(reason))
    return new LaunchError('submit-failed', 'submit', `The Engine cannot give the job a GPU: ${last}.`, error);
  return new LaunchError('submit-failed', 'submit', `The Engine did not start the job: ${last}.`, error);
}
