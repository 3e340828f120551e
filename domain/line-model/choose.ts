import { isTerminal, type HoldCause } from '../words.js';
import type { Dice } from './dice.js';
import { projects, randomSettings, requirements } from './opening.js';
import type { Place } from './order.js';
import { holdsSlot, isQueued, type LaunchRow } from './rows.js';
import { isAlive } from './slots.js';
import type { Step, StepKind } from './step.js';
import { aboutOf, lineOf, polls, type Lease, type LineName, type Process, type World } from './world.js';
import { isAbandoned, knowsOfCancel } from './workflow.js';

/** What happens next, by chance: a kind by weight, then somebody for whom it makes sense. */

export const weights: Readonly<Record<StepKind, number>> = {
  enqueue: 24,
  hold: 3,
  release: 6,
  move: 8,
  reprioritise: 3,
  transfer: 3,
  cancel: 5,
  settings: 3,
  quarantine: 0.5,
  'lift-quarantine': 5,
  'drain-agent': 0.5,
  'activate-agent': 5,
  tell: 25,
  'tell-arrives': 45,
  'tell-lost': 4,
  'nudge-arrives': 30,
  'nudge-lost': 3,
  'not-begun': 1.5,
  'heartbeat-lost': 6,
  record: 50,
  'workflow-terminated': 0.5,
  'temporal-data-lost': 0.1,
  'sweep-line': 8,
  'sweep-unconfirmed': 3,
  'sweep-release': 5,
  'sweep-expired': 3,
  'sweep-untold': 3,
  take: 30,
  claim: 60,
  'answer-arrives': 50,
  'answer-lost': 5,
  'ticket-times-out': 5,
  begin: 50,
  confirm: 50,
  prepared: 50,
  'prepare-fails': 2,
  'ask-submit': 50,
  create: 50,
  'create-arrives': 12,
  'report-running': 20,
  'see-end': 40,
  'lets-go': 15,
  'lease-expires': 3,
  'late-call': 6,
  'job-ends': 15,
  'job-preempted': 8,
  watch: 40,
  kill: 30,
  'watcher-lost': 3,
  'agent-dies': 2,
  'agent-returns': 12,
  'agent-stops': 1.5,
};

export function choose(dice: Dice, world: World, by: Readonly<Record<StepKind, number>> = weights): Step {
  for (;;) {
    const step = propose(dice, world, dice.weighed(by));
    if (step) return step;
  }
}

/** More would only wait. */
const mostOpen = 16;

/** Undefined: there is nobody for whom it makes sense now. */
function propose(dice: Dice, world: World, kind: StepKind): Step | undefined {
  const { lines } = world;
  const launch = (fits: (row: LaunchRow) => boolean): string | undefined =>
    dice.oneOf([...lines.launches.values()].filter(fits))?.id;
  const withLaunch = <K extends StepKind>(kind: K, fits: (row: LaunchRow) => boolean) => {
    const id = launch(fits);
    return id === undefined ? undefined : { do: kind, launch: id };
  };
  const withAgent = <K extends StepKind>(kind: K, fits: (agent: string) => boolean) => {
    const agent = dice.oneOf(world.setup.agents.filter(({ id }) => fits(id)));
    return agent && { do: kind, agent: agent.id };
  };
  const process = (fits: (process: Process) => boolean): string | undefined =>
    dice.oneOf([...world.processes.values()].filter(fits))?.agent;
  const withLine = (line: LineName | undefined) => (line === undefined ? undefined : { line });
  const phaseOf = (id: string) => world.workflows.get(id)?.phase;

  switch (kind) {
    case 'enqueue': {
      const queue = dice.oneOf([...lines.queues.keys()]);
      if (
        queue === undefined ||
        [...lines.launches.values()].filter((row) => !isTerminal(row.state)).length >= mostOpen
      )
        return undefined;
      return {
        do: kind,
        launch: {
          id: `L${lines.launches.size + 1}`,
          queue,
          project: dice.pick(projects),
          priority: dice.chance(0.5) ? 2 : dice.between(0, 3),
          requires: dice.pick(requirements),
          held: dice.chance(0.05),
          ttl: dice.chance(0.05) ? dice.between(20, 100) : null,
        },
      };
    }
    case 'hold': {
      const step = withLaunch(kind, nearlyWaiting);
      const cause = dice.pick<HoldCause>(['user', 'user', 'back-off', 'parked']);
      return (
        step && { ...step, cause, forSteps: cause === 'back-off' || dice.chance(0.2) ? dice.between(3, 40) : null }
      );
    }
    case 'release':
      return withLaunch(kind, (row) => isQueued(row) && row.hold !== null);
    case 'move': {
      const step = withLaunch(kind, nearlyWaiting);
      const other = launch((row) => nearlyWaiting(row) && row.queue === lines.launches.get(step?.launch ?? '')?.queue);
      if (!step || other === undefined) return undefined;
      const place = dice.pick<Place>([{ to: 'front' }, { to: 'back' }, { before: other }, { after: other }]);
      return { ...step, place };
    }
    case 'reprioritise': {
      const step = withLaunch(kind, nearlyWaiting);
      return step && { ...step, priority: dice.between(0, 3) };
    }
    case 'transfer': {
      const step = withLaunch(kind, nearlyWaiting);
      const queue = dice.oneOf([...lines.queues.keys()]);
      return step && queue !== undefined ? { ...step, queue } : undefined;
    }
    case 'cancel':
      return withLaunch(kind, dice.chance(0.5) ? holdsSlot : isQueued);
    case 'settings': {
      const queue = dice.oneOf([...lines.queues.keys()]);
      if (queue === undefined) return undefined;
      const paused = { paused: dice.chance(0.15), draining: dice.chance(0.1) };
      return { do: kind, queue, change: dice.chance(0.5) ? paused : randomSettings(dice) };
    }
    case 'quarantine':
    case 'drain-agent':
      return withAgent(kind, () => true);
    case 'lift-quarantine':
      return withAgent(kind, (id) => lines.agents.get(id)?.quarantined === true);
    case 'activate-agent':
      return withAgent(kind, (id) => lines.agents.get(id)?.draining === true);
    case 'tell':
      return withLaunch(kind, (row) => row.due);
    case 'tell-arrives': {
      const note = dice.oneOf(world.tells);
      return note && { do: kind, launch: note.launch, newest: dice.chance(0.5), marks: dice.chance(0.9) };
    }
    case 'tell-lost': {
      const note = dice.oneOf(world.tells);
      return note && { do: kind, launch: note.launch };
    }
    case 'nudge-arrives':
    case 'nudge-lost': {
      const found = withLine(dice.oneOf([...world.nudges.keys()]));
      return found && { do: kind, ...found };
    }
    case 'not-begun':
      return withLaunch(kind, ({ id }) => is(phaseOf(id), 'serving') && !begun(phaseOf(id)));
    case 'heartbeat-lost':
      return withLaunch(kind, ({ id }) => is(phaseOf(id), 'serving') && begun(phaseOf(id)));
    case 'record':
      return withLaunch(kind, ({ id }) => is(phaseOf(id), 'recording') || is(phaseOf(id), 'returning'));
    case 'workflow-terminated':
      return withLaunch(kind, ({ id }) => world.workflows.has(id) && !is(phaseOf(id), 'ended'));
    case 'temporal-data-lost':
      return { do: kind };
    case 'sweep-line': {
      const row = dice.oneOf([...lines.launches.values()].filter(isQueued));
      return row && { do: kind, line: lineOf(row) };
    }
    case 'sweep-unconfirmed':
      return withLaunch(kind, ({ state }) => state === 'claimed');
    case 'sweep-release':
      return withLaunch(kind, ({ releaseAt }) => releaseAt !== null && releaseAt <= lines.now);
    case 'sweep-expired':
      return withLaunch(kind, (row) => isQueued(row) && row.expiresAt !== null && row.expiresAt <= lines.now);
    case 'sweep-untold':
      return withLaunch(kind, (row) => !row.due);
    case 'take': {
      const ticket = dice.oneOf([...world.tickets.values()].filter(({ takenBy }) => takenBy === null));
      const agent = ticket && process((each) => polls(world, each.agent, ticket.line));
      return ticket && agent !== undefined ? { do: kind, line: ticket.line, agent } : undefined;
    }
    case 'claim': {
      const agent = process(({ answering }) => [...answering.values()].some(({ asked }) => !asked));
      const asks = [...(world.processes.get(agent ?? '')?.answering.values() ?? [])].filter(({ asked }) => !asked);
      const line = dice.oneOf(asks)?.line;
      return agent !== undefined && line !== undefined ? { do: kind, line, agent, tells: dice.chance(0.7) } : undefined;
    }
    case 'answer-arrives':
    case 'answer-lost': {
      const answer = dice.oneOf(world.answers);
      return answer && { do: kind, agent: answer.agent };
    }
    case 'ticket-times-out': {
      const ticket = dice.oneOf([...world.tickets.values()].filter(({ takenBy }) => takenBy !== null));
      return ticket?.takenBy ? { do: kind, line: ticket.line, agent: ticket.takenBy } : undefined;
    }
    case 'begin': {
      const alive = new Set([...world.processes.values()].map(({ incarnation }) => incarnation));
      const isThere = (id: string) => alive.has(world.workflows.get(id)?.incarnation ?? '');
      return withLaunch(kind, ({ id }) => is(phaseOf(id), 'serving') && !begun(phaseOf(id)) && isThere(id));
    }
    case 'confirm': {
      const lease = leases(world, dice, ({ begun, confirmed }) => begun && !confirmed);
      return lease && { do: kind, launch: lease.launch, answer: dice.chance(0.9) ? 'arrives' : 'lost' };
    }
    case 'prepared':
    case 'prepare-fails': {
      const lease = leases(world, dice, ({ confirmed, prepared }) => confirmed && !prepared);
      return lease && { do: kind, launch: lease.launch };
    }
    case 'ask-submit': {
      const lease = leases(world, dice, ({ prepared, allowed, told }) => prepared && !allowed && told === 'go');
      return lease && { do: kind, launch: lease.launch, answer: dice.chance(0.9) ? 'arrives' : 'lost' };
    }
    case 'create': {
      const lease = leases(world, dice, ({ allowed, created }) => allowed && !created);
      return lease && { do: kind, launch: lease.launch };
    }
    case 'create-arrives': {
      const create = dice.oneOf(world.creates);
      return create && { do: kind, launch: create.launch };
    }
    case 'report-running': {
      const lease = leases(world, dice, ({ created }) => created);
      return lease && { do: kind, launch: lease.launch };
    }
    case 'see-end': {
      const over = new Set([...world.jobs.values()].filter((job) => !isAlive(job)).map(({ launch }) => launch));
      const lease = leases(world, dice, ({ begun, launch, told }) => begun && (over.has(launch) || told === 'stop'));
      return lease && { do: kind, launch: lease.launch };
    }
    case 'lets-go': {
      const agent = process((each) =>
        [...each.leases.values()].some((lease) => lease.begun && isAbandoned(world, lease)),
      );
      return agent === undefined ? undefined : { do: kind, agent };
    }
    case 'lease-expires': {
      const agent = process(({ leases }) => [...leases.values()].some(({ begun }) => !begun));
      return agent === undefined ? undefined : { do: kind, agent };
    }
    case 'late-call': {
      const call = dice.oneOf(world.calls);
      return call && { do: kind, call: call.call, about: aboutOf(call) };
    }
    case 'job-ends':
    case 'job-preempted': {
      const job = dice.oneOf([...world.jobs.values()].filter(isAlive));
      return job && { do: kind, launch: job.launch };
    }
    case 'watch': {
      const step = withLaunch(kind, ({ id }) => is(phaseOf(id), 'watching'));
      const agent = process(() => true);
      const phase = phaseOf(step?.launch ?? '');
      const by = phase?.at === 'watching' && phase.by !== null && dice.chance(0.9) ? phase.by : agent;
      return step && by !== undefined ? { ...step, agent: by } : undefined;
    }
    case 'kill': {
      const step = withLaunch(kind, (row) => {
        const workflow = holdsSlot(row) ? world.workflows.get(row.id) : undefined;
        return workflow !== undefined && knowsOfCancel(workflow);
      });
      const agent = process(() => true);
      return step && agent !== undefined ? { ...step, agent } : undefined;
    }
    case 'watcher-lost':
      return withLaunch(kind, ({ id }) => is(phaseOf(id), 'watching'));
    case 'agent-dies':
    case 'agent-stops':
      return withAgent(kind, (id) => world.processes.has(id));
    case 'agent-returns':
      return withAgent(kind, (id) => !world.processes.has(id));
  }
}

/** Also one that was just taken, now and then: the answer must say so. */
const nearlyWaiting = (row: LaunchRow): boolean => isQueued(row) || row.state === 'claimed';
type AnyPhase = { at: string; begun?: boolean } | undefined;
const is = (phase: AnyPhase, at: string): boolean => phase?.at === at;
const begun = (phase: AnyPhase): boolean => phase?.begun === true;

function leases(world: World, dice: Dice, fits: (lease: Lease) => boolean): Lease | undefined {
  return dice.oneOf([...world.processes.values()].flatMap((process) => [...process.leases.values()]).filter(fits));
}
