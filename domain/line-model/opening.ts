import type { Labels } from '../requirements.js';
import type { Dice } from './dice.js';
import { newQueue, type QueueRow } from './rows.js';
import { emptyWorld, type AgentSetup, type World } from './world.js';

/** Queues and agents of one history. The first agent can do everything, so that no launch is impossible. */

export const projects = ['red', 'blue', 'green'] as const;
export const requirements: readonly [Labels, ...Labels[]] = [{}, {}, {}, { gpu: 'a100' }, { gpu: 'a100', zone: 'b' }];

export function opening(dice: Dice): World {
  const queues = Array.from({ length: dice.between(1, 3) }, (_, n) => randomQueue(dice, `q${n + 1}`));
  const names = queues.map(({ id }) => id);
  const agents: AgentSetup[] = [{ id: 'a1', queues: names, labels: { gpu: 'a100', zone: 'b' } }];
  for (let n = dice.between(0, 2); n > 0; n--) {
    agents.push({
      id: `a${agents.length + 1}`,
      queues: names.filter(() => dice.chance(0.7)),
      labels: dice.pick<Labels>([{}, { gpu: 'a100' }, { gpu: 'h100', zone: 'b' }]),
    });
  }
  return {
    ...emptyWorld,
    lines: { ...emptyWorld.lines, queues: new Map(queues.map((queue) => [queue.id, queue])) },
    setup: { agents, slots: Object.fromEntries(agents.map(({ id }) => [id, dice.between(1, 3)])) },
  };
}

const randomQueue = (dice: Dice, id: string): QueueRow => newQueue(id, randomSettings(dice));

export function randomSettings(dice: Dice): Partial<Omit<QueueRow, 'id'>> {
  const maybe = (share: number, least: number, most: number): number | null =>
    dice.chance(share) ? dice.between(least, most) : null;
  const shares: [string, { maxRunning: number | null; weight: number }][] = projects
    .filter(() => dice.chance(0.5))
    .map((project) => [project, { maxRunning: maybe(0.3, 0, 2), weight: dice.pick([0.5, 1, 2, 4]) }]);
  return {
    discipline: dice.chance(0.4) ? 'fair' : 'fifo',
    priorities: dice.chance(0.9),
    maxRunning: maybe(0.4, 0, 4),
    maxRunningPerProject: maybe(0.3, 0, 2),
    projects: Object.fromEntries(shares),
    maxWaiting: maybe(0.15, 3, 12),
    ttl: maybe(0.15, 30, 200),
  };
}
