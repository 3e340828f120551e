import { isTerminal } from '../words.js';
import { leftOf } from './flows.js';
import { pickNext } from './pick-next.js';
import type { Protocol } from './protocol.js';
import { isQueued, type LaunchRow, type QueueRow } from './rows.js';
import { notQuiet, type Violation } from './rules.js';
import { hasFreeSlot, isAlive } from './slots.js';
import type { Step } from './step.js';
import { knowsOfCancel } from './workflow.js';
import { lineOf, polls, queueOfLine, slotsOf, type Lease, type LineName, type Phase, type World } from './world.js';

/**
 * All faults are over: everybody is back, nothing is lost any more, and everything that can happen does happen once in each round. Everything
 * accepted must then come to its end, and nobody may be passed over for more than a few rounds.
 */

/** Applies a step and says which rule it broke. */
export type Act = (step: Step) => Violation | undefined;

/** Rounds from a free slot to a claim: told, ticket, claim; twice that for a ticket that a dead agent had; surplus tickets of each other line. */
const mostRoundsIdle = (world: World, agent: string): number => 6 + pollable(world, agent);

export function heal(p: Protocol, world: () => World, act: Act): Violation | undefined {
  for (const step of mend(world())) {
    const broken = act(step);
    if (broken) return broken;
  }
  const idle = new Map<string, number>();
  const passedOver = new Map<string, number>();
  const mostRounds = 60 + 20 * [...world().lines.launches.values()].filter((row) => !isTerminal(row.state)).length;
  for (let round = 1; round <= mostRounds; round++) {
    if (!notQuiet(world()) && isSilent(world())) return undefined;
    const ready = readyLines(p, world());
    const grants: { agent: string; line: LineName }[] = [];
    for (const stage of stages) {
      for (const step of stage(p, world(), round)) {
        const broken = act(step);
        if (broken) return broken;
        for (const seen of world().seen) if (seen.saw === 'granted') grants.push(seen);
      }
    }
    const starved = judgeRound(world(), ready, grants, idle, passedOver);
    if (starved) return starved;
  }
  return notQuiet(world()) ?? { rule: 'quiet', sentence: 'messages never end' };
}

const isSilent = (world: World): boolean =>
  world.tells.length === 0 && world.creates.length === 0 && world.answers.length === 0;

interface Ready {
  agent: string;
  line: LineName;
}

/** Somebody could be claimed here by this agent, which has a free slot. */
function readyLines(p: Protocol, world: World): Ready[] {
  const lines = linesOf(world);
  return [...world.processes.values()]
    .filter((process) => hasFreeSlot(p, world, process))
    .flatMap(({ agent }) =>
      lines
        .filter((line) => polls(world, agent, line) && leftOf(world.lines, line) > 0)
        .filter((line) => pickNext(world.lines, queueOfLine(line), world.lines.agents.get(agent)?.labels ?? {}))
        .map((line) => ({ agent, line })),
    );
}

function judgeRound(
  world: World,
  ready: readonly Ready[],
  grants: readonly { agent: string; line: LineName }[],
  idle: Map<string, number>,
  passedOver: Map<string, number>,
): Violation | undefined {
  const keys = new Set(ready.map(({ agent, line }) => `${agent} ${line}`));
  for (const counts of [idle, passedOver]) for (const key of counts.keys()) if (!keys.has(key)) counts.delete(key);
  for (const { agent, line } of ready) {
    const key = `${agent} ${line}`;
    const served = grants.some((grant) => queueOfLine(grant.line) === queueOfLine(line));
    const ofAgent = grants.filter((grant) => grant.agent === agent).length;
    idle.set(key, served || ofAgent > 0 ? 0 : (idle.get(key) ?? 0) + 1);
    passedOver.set(key, served ? 0 : (passedOver.get(key) ?? 0) + ofAgent);
    const rounds = idle.get(key) ?? 0;
    if (rounds > mostRoundsIdle(world, agent))
      return { rule: 'no starvation', sentence: `${agent} has a free slot for ${line}, and ${rounds} rounds went by` };
    const others = passedOver.get(key) ?? 0;
    if (others > mostPassedOver(world, agent))
      return {
        rule: 'no starvation',
        sentence: `${agent} took ${others} launches of other queues while ${line} was ready`,
      };
  }
  return undefined;
}

/** Each other line once, for each of its slots, and once more for tickets that were taken before this line was ready. */
const mostPassedOver = (world: World, agent: string): number => slotsOf(world, agent) * (1 + pollable(world, agent));

/** Every line that still has tickets or launches, and is polled by the agent. */
const pollable = (world: World, agent: string): number => {
  const lines = new Set([...linesOf(world), ...[...world.tickets.values()].map(({ line }) => line)]);
  return [...lines].filter((line) => polls(world, agent, line)).length;
};

const linesOf = (world: World): LineName[] => {
  const lines = new Set<LineName>();
  for (const row of world.lines.launches.values()) if (isQueued(row)) lines.add(lineOf(row));
  return [...lines];
};

function* mend(world: World): Generator<Step> {
  const atLeastOne = (limit: number | null): number | null => (limit === null ? null : Math.max(1, limit));
  for (const queue of world.lines.queues.values()) {
    const projects = Object.entries(queue.projects).map(([name, { maxRunning, weight }]) => [
      name,
      { maxRunning: atLeastOne(maxRunning), weight },
    ]);
    const limits = {
      maxRunning: atLeastOne(queue.maxRunning),
      maxRunningPerProject: atLeastOne(queue.maxRunningPerProject),
    };
    const change = {
      paused: false,
      draining: false,
      ...limits,
      projects: Object.fromEntries(projects) as QueueRow['projects'],
    };
    yield { do: 'settings', queue: queue.id, change };
  }
  for (const { id: agent } of world.setup.agents) {
    yield { do: 'agent-returns', agent };
    yield { do: 'lift-quarantine', agent };
    yield { do: 'activate-agent', agent };
  }
  for (const row of world.lines.launches.values()) if (row.hold !== null) yield { do: 'release', launch: row.id };
}

type Stage = (p: Protocol, world: World, round: number) => Step[];

const openRows = (world: World) =>
  [...world.lines.launches.values()].filter(
    (row) => !isTerminal(row.state) || row.due || (world.workflows.get(row.id)?.phase.at ?? 'ended') !== 'ended',
  );
const openLaunches = (world: World): string[] => openRows(world).map(({ id }) => id);
const forRows =
  (fits: (row: LaunchRow) => boolean, step: (launch: string) => Step): Stage =>
  (_, world) =>
    openRows(world)
      .filter(fits)
      .map(({ id }) => step(id));
const forPhase =
  (at: Phase['at'], step: (launch: string) => Step): Stage =>
  (_, world) =>
    openLaunches(world)
      .filter((launch) => world.workflows.get(launch)?.phase.at === at)
      .map(step);
const forLeases =
  (fits: (lease: Lease) => boolean, step: (launch: string) => Step): Stage =>
  (_, world) =>
    [...world.processes.values()]
      .flatMap(({ leases }) => [...leases.values()].filter(fits))
      .map(({ launch }) => step(launch));
const every =
  (rounds: number, stage: Stage): Stage =>
  (p, world, round) =>
    round % rounds === 0 ? stage(p, world, round) : [];
const tellsArrive: Stage = (_, world) =>
  world.tells.map(({ launch }) => ({ do: 'tell-arrives', launch, newest: false, marks: true }));

/** One round: everything once, in an order in which a launch comes a good way. What a time-out of many seconds heals comes every few rounds. */
const stages: readonly Stage[] = [
  forRows(
    (row) => row.due,
    (launch) => ({ do: 'tell', launch }),
  ),
  tellsArrive,
  (_, world) => [...world.nudges.keys()].map((line) => ({ do: 'nudge-arrives', line })),
  every(2, (_, world) => linesOf(world).map((line) => ({ do: 'sweep-line', line }))),
  forRows(
    (row) => isQueued(row) && row.expiresAt !== null,
    (launch) => ({ do: 'sweep-expired', launch }),
  ),
  forRows(
    (row) => row.releaseAt !== null,
    (launch) => ({ do: 'sweep-release', launch }),
  ),
  // A ticket times out when the process that took it is gone; nobody here is slow any more.
  (_, world) =>
    [...world.tickets].flatMap(([id, { line, takenBy }]) =>
      takenBy !== null && !world.processes.get(takenBy)?.answering.has(id)
        ? [{ do: 'ticket-times-out', line, agent: takenBy }]
        : [],
    ),
  (p, world) => [...world.processes.values()].flatMap((process) => takes(p, world, process.agent)),
  (_, world) =>
    [...world.processes.values()].flatMap(({ agent, answering }) =>
      [...answering.values()].map(({ line }): Step => ({ do: 'claim', line, agent, tells: true })),
    ),
  (_, world) => world.answers.map(({ agent }) => ({ do: 'answer-arrives', agent })),
  tellsArrive,
  forPhase('serving', (launch) => ({ do: 'begin', launch })),
  (_, world) => unservedBy(world, false).map((launch) => ({ do: 'not-begun', launch })),
  forLeases(
    (lease) => lease.begun && !lease.confirmed,
    (launch) => ({ do: 'confirm', launch, answer: 'arrives' }),
  ),
  forLeases(
    (lease) => lease.confirmed && !lease.prepared,
    (launch) => ({ do: 'prepared', launch }),
  ),
  forLeases(
    (lease) => lease.prepared && !lease.allowed,
    (launch) => ({ do: 'ask-submit', launch, answer: 'arrives' }),
  ),
  forLeases(
    (lease) => lease.allowed && !lease.created,
    (launch) => ({ do: 'create', launch }),
  ),
  (_, world) => world.creates.map(({ launch }) => ({ do: 'create-arrives', launch })),
  forLeases(
    (lease) => lease.created,
    (launch) => ({ do: 'report-running', launch }),
  ),
  (_, world) => openLaunches(world).flatMap((launch) => killer(world, launch)),
  every(2, (_, world) => [...world.jobs.values()].filter(isAlive).map(({ launch }) => ({ do: 'job-ends', launch }))),
  forPhase('serving', (launch) => ({ do: 'see-end', launch })),
  (_, world) => unservedBy(world, true).map((launch) => ({ do: 'heartbeat-lost', launch })),
  (_, world) => openLaunches(world).flatMap((launch) => watcher(world, launch)),
  forPhase('recording', (launch) => ({ do: 'record', launch })),
  forPhase('returning', (launch) => ({ do: 'record', launch })),
  (_, world) =>
    [...world.processes.values()].flatMap(({ agent, leases }) =>
      [...leases].map((): Step => ({ do: 'lets-go', agent })),
    ),
  every(5, (_, world) => [...world.processes.keys()].map((agent) => ({ do: 'lease-expires', agent }))),
  every(
    7,
    forRows(
      (row) => row.state === 'claimed',
      (launch) => ({ do: 'sweep-unconfirmed', launch }),
    ),
  ),
  every(
    3,
    forRows(
      (row) => !row.due,
      (launch) => ({ do: 'sweep-untold', launch }),
    ),
  ),
];

function watcher(world: World, launch: string): Step[] {
  const phase = world.workflows.get(launch)?.phase;
  if (phase?.at !== 'watching') return [];
  if (phase.by !== null && !world.processes.has(phase.by)) return [{ do: 'watcher-lost', launch }];
  const agent = phase.by ?? world.setup.agents[0]?.id;
  return agent === undefined ? [] : [{ do: 'watch', launch, agent }];
}

/** As many tickets as it has free slots, from the lines that it has served least lately (the agent's hybrid pool). */
function takes(p: Protocol, world: World, agent: string): Step[] {
  const process = world.processes.get(agent);
  if (!process || !hasFreeSlot(p, world, process)) return [];
  const offered = [
    ...new Set([...world.tickets.values()].filter((each) => each.takenBy === null).map(({ line }) => line)),
  ];
  const lately = (line: LineName): number => process.served.indexOf(line);
  const lines = offered.filter((line) => polls(world, agent, line)).sort((a, b) => lately(a) - lately(b));
  return lines.map((line) => ({ do: 'take', line, agent }));
}

/** Launches whose workflow waits for a process that is not there, or that has let go of them. */
function unservedBy(world: World, begun: boolean): string[] {
  return openLaunches(world).filter((launch) => {
    const workflow = world.workflows.get(launch);
    if (workflow?.phase.at !== 'serving' || workflow.phase.begun !== begun) return false;
    const process = [...world.processes.values()].find(({ incarnation }) => incarnation === workflow.incarnation);
    return !process || (begun && !process.leases.has(workflow.claim ?? ''));
  });
}

function killer(world: World, launch: string): Step[] {
  const workflow = world.workflows.get(launch);
  const agent = world.setup.agents[0]?.id;
  if (!workflow || agent === undefined || !knowsOfCancel(workflow)) return [];
  return [{ do: 'kill', launch, agent }];
}
