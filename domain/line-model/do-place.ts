import { remoteName } from '../ids.js';
import { withKey } from './rows.js';
import type { Protocol } from './protocol.js';
import { isAlive } from './slots.js';
import type { StepOf } from './step.js';
import { knowsOfCancel, onEnd, setPhase } from './workflow.js';
import type { Create, Job, World } from './world.js';
import { putProcess } from './do-tickets.js';

/** The target: creates by name, ends, watching and killing by name. Any agent of the place can do the latter. */

export function createArrives(p: Protocol, world: World, { launch }: StepOf<'create-arrives'>): World {
  const arriving = world.creates.find((each) => each.launch === launch);
  return arriving ? arrive(p, world, arriving) : world;
}

export function arrive(p: Protocol, world: World, arriving: Create): World {
  const rest = { ...world, creates: world.creates.filter((each) => each !== arriving) };
  const { launch, attempt, agent } = arriving;
  const name = remoteName(launch, attempt);
  const there = world.jobs.get(name);
  if (there && (p.adopts || !there.ran)) return rest;
  const job: Job = { launch, attempt, agent, state: 'running', ran: true };
  return { ...putJob(rest, name, job), seen: [...rest.seen, { saw: 'job-began', launch, attempt, name }] };
}

const putJob = (world: World, name: string, job: Job): World => ({ ...world, jobs: withKey(world.jobs, name, job) });

export function jobEnds(world: World, step: StepOf<'job-ends' | 'job-preempted'>): World {
  for (const [name, job] of world.jobs)
    if (job.launch === step.launch && isAlive(job))
      return putJob(world, name, { ...job, state: step.do === 'job-ends' ? 'ended' : 'preempted' });
  return world;
}

/** Looks for the job of a lost agent: there → follows it; not there → the name is closed for good, and it may be tried anew. */
export function watch(p: Protocol, world: World, { launch, agent }: StepOf<'watch'>): World {
  const workflow = world.workflows.get(launch);
  if (workflow?.phase.at !== 'watching' || !world.processes.has(agent)) return world;
  if (workflow.phase.by !== null && workflow.phase.by !== agent) return world;
  const name = remoteName(launch, workflow.attempt);
  const job = world.jobs.get(name);
  if (!job?.ran)
    return onEnd(p.closesNames ? close(world, name, launch, workflow.attempt) : world, launch, 'never-ran');
  if (job.state === 'running') return setPhase(world, launch, { at: 'watching', by: agent });
  return onEnd(world, launch, job.state === 'closed' ? 'never-ran' : job.state);
}

const close = (world: World, name: string, launch: string, attempt: number): World =>
  world.jobs.has(name) ? world : putJob(world, name, { launch, attempt, agent: '', state: 'closed', ran: false });

export function kill(p: Protocol, world: World, { launch, agent }: StepOf<'kill'>): World {
  const workflow = world.workflows.get(launch);
  if (!workflow || !world.processes.has(agent) || !knowsOfCancel(workflow)) return world;
  const { phase, claim } = workflow;
  if (phase.at !== 'watching' && phase.at !== 'serving') return world;
  const name = remoteName(launch, workflow.attempt);
  const job = world.jobs.get(name);
  let after = close(world, name, launch, workflow.attempt);
  if (job && isAlive(job)) after = putJob(after, name, { ...job, state: 'killed' });
  for (const process of world.processes.values()) {
    const lease = process.leases.get(claim ?? '');
    if (lease)
      after = putProcess(after, {
        ...process,
        leases: withKey(process.leases, lease.claim, { ...lease, told: 'stop' }),
      });
  }
  return after;
}

export function watcherLost(world: World, { launch }: StepOf<'watcher-lost'>): World {
  return world.workflows.get(launch)?.phase.at === 'watching'
    ? setPhase(world, launch, { at: 'watching', by: null })
    : world;
}
