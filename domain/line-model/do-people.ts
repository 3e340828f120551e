import { enqueue } from './accept.js';
import { cancel } from './claim.js';
import { nudge, nudgeQueue } from './flows.js';
import { hold, move, release, reprioritise, transfer, type MovedOutcome } from './order.js';
import type { Protocol } from './protocol.js';
import { putAgent, putQueue } from './rows.js';
import type { StepOf } from './step.js';
import { lineOf, type World } from './world.js';

/** What users and operators do. After each commit the API tells whom it concerns, if it lives. */

export function accept(world: World, { launch }: StepOf<'enqueue'>): World {
  const { lines, outcome } = enqueue(world.lines, launch);
  return outcome === 'accepted' ? nudge({ ...world, lines }, lineOf(launch)) : world;
}

type Waiting = StepOf<'hold' | 'release' | 'move' | 'reprioritise' | 'transfer'>;

export function change(world: World, step: Waiting): World {
  const answer = operate(world, step);
  const after = { ...world, lines: answer.lines };
  const row = after.lines.launches.get(step.launch);
  return answer.outcome === 'done' && row ? nudge(after, lineOf(row)) : after;
}

function operate({ lines }: World, step: Waiting): MovedOutcome {
  switch (step.do) {
    case 'hold':
      return hold(lines, step.launch, step.cause, step.forSteps === null ? null : lines.now + step.forSteps);
    case 'release':
      return release(lines, step.launch);
    case 'move':
      return move(lines, step.launch, step.place);
    case 'reprioritise':
      return reprioritise(lines, step.launch, step.priority);
    case 'transfer':
      return transfer(lines, step.launch, step.queue);
  }
}

export const stop = (p: Protocol, world: World, { launch }: StepOf<'cancel'>): World => {
  const queue = world.lines.launches.get(launch)?.queue ?? '';
  return nudgeQueue({ ...world, lines: cancel(p, world.lines, launch).lines }, queue);
};

export function settings(world: World, step: StepOf<'settings'>): World {
  const queue = world.lines.queues.get(step.queue);
  if (!queue) return world;
  return nudgeQueue({ ...world, lines: putQueue(world.lines, { ...queue, ...step.change }) }, step.queue);
}

export function agentFlags(
  world: World,
  step: StepOf<'quarantine' | 'lift-quarantine' | 'drain-agent' | 'activate-agent'>,
): World {
  const agent = world.lines.agents.get(step.agent);
  if (!agent) return world;
  const flags = {
    quarantine: { quarantined: true },
    'lift-quarantine': { quarantined: false },
    'drain-agent': { draining: true },
    'activate-agent': { draining: false },
  };
  return { ...world, lines: putAgent(world.lines, { ...agent, ...flags[step.do] }) };
}
