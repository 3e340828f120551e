import { isTerminal } from '../words.js';
import * as store from './claim.js';
import { leftOf, nudgeQueue, tellMore } from './flows.js';
import { expire, release } from './order.js';
import type { Protocol } from './protocol.js';
import { isQueued, putLaunch, without, type LaunchRow } from './rows.js';
import type { StepOf } from './step.js';
import type { World } from './world.js';
import { deliver, markTold, onAgentLost, sendNote, setPhase, waitAgain } from './workflow.js';

/** Messages, workflows' own acts, and the sweeps that make up for what was lost. */

export const tell = (world: World, { launch }: StepOf<'tell'>): World => sendNote(world, launch);

export function tellArrives(world: World, { launch, newest, marks }: StepOf<'tell-arrives'>): World {
  const onTheWay = world.tells.filter((each) => each.launch === launch);
  const note = newest ? onTheWay.at(-1) : onTheWay[0];
  if (!note) return world;
  const delivered = deliver({ ...world, tells: world.tells.filter((each) => each !== note) }, note);
  return marks ? markTold(delivered, note) : delivered;
}

export function tellLost(world: World, { launch }: StepOf<'tell-lost'>): World {
  const note = world.tells.find((each) => each.launch === launch);
  return note ? { ...world, tells: world.tells.filter((each) => each !== note) } : world;
}

export function nudgeArrives(world: World, { line }: StepOf<'nudge-arrives'>): World {
  const left = world.nudges.get(line);
  return left === undefined ? world : tellMore({ ...world, nudges: without(world.nudges, line) }, line, left);
}

export const nudgeLost = (world: World, { line }: StepOf<'nudge-lost'>): World => ({
  ...world,
  nudges: without(world.nudges, line),
});

/** The task was not taken from the private queue in time. */
export function notBegun(world: World, { launch }: StepOf<'not-begun'>): World {
  const phase = world.workflows.get(launch)?.phase;
  return phase?.at === 'serving' && !phase.begun ? onAgentLost(world, launch) : world;
}

/** Of a dead agent, or of one that is only slow and goes on. */
export function heartbeatLost(world: World, { launch }: StepOf<'heartbeat-lost'>): World {
  const phase = world.workflows.get(launch)?.phase;
  return phase?.at === 'serving' && phase.begun ? onAgentLost(world, launch) : world;
}

/** The workflow writes what it knows into the store; repeated until it is answered. */
export function record(p: Protocol, world: World, { launch }: StepOf<'record'>): World {
  const workflow = world.workflows.get(launch);
  const claim = workflow?.claim;
  if (!workflow || !claim) return world;
  const { phase } = workflow;
  if (phase.at === 'recording') {
    const { lines, ok } = store.recordEnd(p, world.lines, launch, claim, phase.end);
    const after = nudgeQueue({ ...world, lines }, lines.launches.get(launch)?.queue ?? '');
    return ok ? setPhase(after, launch, { at: 'ended' }) : waitAgain(after, launch);
  }
  if (phase.at !== 'returning') return world;
  const call = { launch, claim, unconfirmedOnly: false, nextAttempt: phase.nextAttempt };
  const { lines } = store.giveBack(p, world.lines, call);
  const row = lines.launches.get(launch);
  const after = nudgeQueue({ ...world, lines }, row?.queue ?? '');
  return row && isTerminal(row.state) ? setPhase(after, launch, { at: 'ended' }) : waitAgain(after, launch);
}

export const terminate = (world: World, { launch }: StepOf<'workflow-terminated'>): World => ({
  ...world,
  workflows: without(world.workflows, launch),
});

/** Temporal comes back with another, empty namespace: whoever is open is told again. */
export function loseTemporal(world: World): World {
  const launches = new Map(world.lines.launches);
  for (const row of launches.values())
    if (!isTerminal(row.state)) launches.set(row.id, { ...row, told: false, due: true });
  return {
    ...world,
    lines: { ...world.lines, launches },
    workflows: new Map(),
    flows: new Map(),
    tickets: new Map(),
    nudges: new Map(),
    tells: [],
  };
}

export function sweepLine(world: World, { line }: StepOf<'sweep-line'>): World {
  const left = leftOf(world.lines, line);
  return left === 0 ? world : tellMore(world, line, left);
}

type RowSweep = StepOf<'sweep-unconfirmed' | 'sweep-release' | 'sweep-expired' | 'sweep-untold'>;

export function sweepRow(p: Protocol, world: World, step: RowSweep): World {
  const row = world.lines.launches.get(step.launch);
  if (!row) return world;
  const lines = sweptLines(p, world, row, step);
  return lines === world.lines ? world : nudgeQueue({ ...world, lines }, row.queue);
}

function sweptLines(p: Protocol, world: World, row: LaunchRow, step: RowSweep): World['lines'] {
  const { lines } = world;
  switch (step.do) {
    case 'sweep-unconfirmed': {
      if (row.state !== 'claimed' || row.claim === null) return lines;
      return store.giveBack(p, lines, { launch: row.id, claim: row.claim, unconfirmedOnly: true, nextAttempt: false })
        .lines;
    }
    case 'sweep-release':
      return row.releaseAt !== null && row.releaseAt <= lines.now ? release(lines, row.id).lines : lines;
    case 'sweep-expired':
      return expire(p, lines, row.id).lines;
    case 'sweep-untold': {
      // The slow check: an open launch without its workflow, or a workflow that does not know that its launch is over.
      const workflow = world.workflows.get(row.id);
      const isOpen = workflow !== undefined && workflow.phase.at !== 'ended';
      const isWrong = isTerminal(row.state) ? isOpen : !isOpen && (row.told || !isQueued(row));
      return isWrong && !row.due
        ? putLaunch(lines, { ...row, told: isTerminal(row.state) && row.told, due: true })
        : lines;
    }
  }
}
