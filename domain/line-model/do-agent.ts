import { remoteName } from '../ids.js';
import * as store from './claim.js';
import { nudgeQueue } from './flows.js';
import type { Protocol } from './protocol.js';
import { holdsSlot, withKey } from './rows.js';
import { hasFreeSlot, isAlive } from './slots.js';
import type { StepOf } from './step.js';
import { isAbandoned, onEnd, setPhase, waitAgain } from './workflow.js';
import { aboutOf } from './world.js';
import type { Call, Create, Lease, Process, Workflow, World } from './world.js';
import { bind, claimNow, putProcess } from './do-tickets.js';

/** What an agent's process does under a claim: supervise, prepare, submit. */

interface Served {
  workflow: Workflow;
  process: Process;
  claim: string;
  lease: Lease | undefined;
}

/** The process that the launch's workflow has in mind, if it lives. */
function servedBy(world: World, launch: string): Served | undefined {
  const workflow = world.workflows.get(launch);
  const claim = workflow?.claim;
  if (!workflow || !claim || workflow.phase.at !== 'serving') return undefined;
  for (const process of world.processes.values())
    if (process.incarnation === workflow.incarnation)
      return { workflow, process, claim, lease: process.leases.get(claim) };
  return undefined;
}

const putLease = (world: World, process: Process, lease: Lease): World =>
  putProcess(world, { ...process, leases: withKey(process.leases, lease.claim, lease) });

/** Leases for this launch in any process, also such as nobody asks for any more. */
export function leaseOf(
  world: World,
  launch: string,
  wanted: (lease: Lease) => boolean,
): { process: Process; lease: Lease } | undefined {
  for (const process of world.processes.values())
    for (const lease of process.leases.values())
      if (lease.launch === launch && wanted(lease)) return { process, lease };
  return undefined;
}

const remember = (world: World, call: Call): World => ({ ...world, calls: [...world.calls, call].slice(-40) });

export function begin(p: Protocol, world: World, { launch }: StepOf<'begin'>): World {
  const served = servedBy(world, launch);
  if (!served || served.workflow.phase.at !== 'serving' || served.workflow.phase.begun || served.lease?.begun)
    return world;
  const { workflow, process, claim } = served;
  if (!served.lease && !hasFreeSlot(p, world, process)) {
    // The answer to the claim was lost, and the slot has gone to another since.
    const after = backFromAgent(p, world, launch, claim);
    const row = after.lines.launches.get(launch);
    // Refused, and the claim is still ours: an earlier supervise (of a workflow that is gone) confirmed it, so there may be a job.
    const mayHaveJob = row?.claim === claim && holdsSlot(row);
    return mayHaveJob ? setPhase(after, launch, { at: 'watching', by: null }) : waitAgain(after, launch);
  }
  const bound = bind(process, { launch, claim, attempt: workflow.attempt }, world.lines.now);
  const lease = bound.leases.get(claim);
  if (!lease) return world;
  const begun = putLease(world, bound, { ...lease, begun: true });
  return setPhase(begun, launch, { ...served.workflow.phase, begun: true });
}

function backFromAgent(p: Protocol, world: World, launch: string, claim: string): World {
  const call = { launch, claim, unconfirmedOnly: true, nextAttempt: false };
  const { lines, ok } = store.giveBack(p, world.lines, call);
  const queue = lines.launches.get(launch)?.queue ?? '';
  return ok ? nudgeQueue(passed({ ...world, lines }, launch, claim), queue) : world;
}

const passed = (world: World, launch: string, claim: string): World => ({
  ...world,
  seen: [...world.seen, { saw: 'let-pass', launch, claim }],
});

export function confirm(p: Protocol, world: World, { launch, answer }: StepOf<'confirm'>): World {
  const held = leaseOf(world, launch, (lease) => lease.begun && !lease.confirmed);
  if (!held) return world;
  const { process, lease } = held;
  const { incarnation } = process;
  const { lines, ok } = store.confirm(p, world.lines, launch, lease.claim, incarnation);
  const after = remember({ ...world, lines }, { call: 'confirm', launch, claim: lease.claim, incarnation });
  const seen = ok ? passed(after, launch, lease.claim) : after;
  if (answer === 'lost') return seen;
  if (ok) return putLease(seen, process, { ...lease, confirmed: true });
  // Fenced: the slot is free, and the workflow looks at what the row says now.
  const freed = putProcess(seen, p.letGo(process, lease.claim));
  return world.workflows.get(launch)?.claim === lease.claim && servedBy(world, launch)
    ? waitAgain(freed, launch)
    : freed;
}

export function prepared(world: World, { launch }: StepOf<'prepared'>): World {
  const served = servedBy(world, launch);
  const { lease, process, workflow } = served ?? {};
  if (!lease?.confirmed || lease.prepared || lease.told === 'stop' || !process || workflow?.phase.at !== 'serving')
    return world;
  return setPhase(putLease(world, process, { ...lease, prepared: true }), launch, {
    ...workflow.phase,
    submitScheduled: true,
  });
}

export function prepareFails(p: Protocol, world: World, { launch }: StepOf<'prepare-fails'>): World {
  const served = servedBy(world, launch);
  if (!served?.lease?.confirmed || served.lease.prepared) return world;
  const freed = putProcess(world, p.letGo(served.process, served.claim));
  return setPhase(freed, launch, { at: 'recording', end: 'failed' });
}

/** The last fence. A slow agent gets here after its workflow has given it up. */
export function askSubmit(p: Protocol, world: World, { launch, answer }: StepOf<'ask-submit'>): World {
  const held = leaseOf(world, launch, (lease) => lease.prepared && !lease.allowed && lease.told === 'go');
  if (!held) return world;
  const { process, lease } = held;
  const { lines, ok } = store.maySubmit(p, world.lines, launch, lease.claim);
  const call: Call = { call: 'submit', launch, claim: lease.claim, incarnation: process.incarnation };
  const after = remember({ ...world, lines }, call);
  const seen = ok ? passed(after, launch, lease.claim) : after;
  if (answer === 'lost') return seen;
  return putLease(seen, process, ok ? { ...lease, allowed: true } : { ...lease, told: 'stop' });
}

export function create(world: World, { launch }: StepOf<'create'>): World {
  const held = leaseOf(world, launch, (lease) => lease.allowed && !lease.created && lease.told === 'go');
  if (!held) return world;
  const { process, lease } = held;
  const { agent, incarnation } = process;
  const { claim, attempt } = lease;
  const asked: Create = { launch, attempt, claim, agent, incarnation };
  const sent = remember({ ...world, creates: [...world.creates, asked] }, { call: 'create', ...asked });
  return putLease(sent, process, { ...lease, created: true });
}

export function reportRunning(p: Protocol, world: World, { launch }: StepOf<'report-running'>): World {
  const held = leaseOf(world, launch, (lease) => lease.created);
  if (!held) return world;
  const { lease, process } = held;
  const lines = store.reportRunning(p, world.lines, launch, lease.claim);
  return remember(
    { ...world, lines },
    { call: 'running', launch, claim: lease.claim, incarnation: process.incarnation },
  );
}

/** Supervise returns to its workflow: the job is over, or it was told to stop and nothing of it is under way. */
export function seeEnd(p: Protocol, world: World, { launch }: StepOf<'see-end'>): World {
  const served = servedBy(world, launch);
  if (!served?.lease?.begun) return world;
  const { process, lease, claim, workflow } = served;
  const isBusy = world.creates.some((each) => each.claim === claim);
  const job = world.jobs.get(remoteName(launch, lease.attempt));
  const isOver = job !== undefined && !isAlive(job);
  if (isBusy || !(isOver || (lease.told === 'stop' && !job))) return world;
  const freed = putProcess(world, p.letGo(process, claim));
  if (job && job.state !== 'closed' && job.state !== 'running') return onEnd(freed, launch, job.state);
  const stopped = workflow.note.claim === claim && workflow.note.cancelRequested;
  return setPhase(freed, launch, stopped ? { at: 'recording', end: 'stopped' } : { at: 'watching', by: null });
}

/** It learns that Temporal took an activity from it: the job goes on without it, and the slot is charged with the job from now on. */
export function letsGo(p: Protocol, world: World, { agent }: StepOf<'lets-go'>): World {
  const process = world.processes.get(agent);
  for (const lease of process?.leases.values() ?? []) {
    const isBusy = world.creates.some(({ claim }) => claim === lease.claim);
    if (process && lease.begun && isAbandoned(world, lease) && !isBusy)
      return putProcess(world, p.letGo(process, lease.claim));
  }
  return world;
}

/** Nobody came to begin it. */
export function leaseExpires(p: Protocol, world: World, { agent }: StepOf<'lease-expires'>): World {
  const process = world.processes.get(agent);
  for (const lease of process?.leases.values() ?? []) {
    if (!process || lease.begun || world.lines.now < lease.boundAt + leaseTtl) continue;
    const call: Call = {
      call: 'give-back',
      launch: lease.launch,
      claim: lease.claim,
      incarnation: process.incarnation,
    };
    const after = remember(backFromAgent(p, world, lease.launch, lease.claim), call);
    return putProcess(after, p.letGo(process, lease.claim));
  }
  return world;
}
const leaseTtl = 8;

/** The network delivers an old call once more; nobody waits for the answer. */
export function lateCall(p: Protocol, world: World, step: StepOf<'late-call'>): World {
  const call = world.calls.find((each) => each.call === step.call && aboutOf(each) === step.about);
  if (!call) return world;
  switch (call.call) {
    case 'claim':
      return claimNow(p, world, call).world;
    case 'confirm': {
      const { lines, ok } = store.confirm(p, world.lines, call.launch, call.claim, call.incarnation);
      return ok ? passed({ ...world, lines }, call.launch, call.claim) : world;
    }
    case 'submit': {
      const { lines, ok } = store.maySubmit(p, world.lines, call.launch, call.claim);
      return ok ? passed({ ...world, lines }, call.launch, call.claim) : world;
    }
    case 'running':
      return { ...world, lines: store.reportRunning(p, world.lines, call.launch, call.claim) };
    case 'create':
      return { ...world, creates: [...world.creates, call] };
    case 'give-back':
      return backFromAgent(p, world, call.launch, call.claim);
  }
}
