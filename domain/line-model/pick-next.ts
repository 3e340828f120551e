import { satisfies, type Labels } from '../requirements.js';
import type { LaunchRow, Lines, QueueRow } from './rows.js';
import { holdsSlot, isQueued } from './rows.js';

/**
 * Who is next? The whole rule of the line in one place: the SQL of the claim is compared with it (test/line/model.test.ts), and the
 * simulation checks every claim against it.
 *
 * Eligible is a launch that waits in this queue and is not held, whose requirements the agent's labels meet, and for which the queue and
 * its project have room. The queue must not be paused. Among the eligible the first is taken:
 * - `fifo`: by priority, then rank.
 * - `fair`: by priority, then the project with the least running for its weight, then rank.
 */
export function pickNext(lines: Lines, queueId: string, labels: Labels): LaunchRow | undefined {
  const queue = lines.queues.get(queueId);
  if (!queue || queue.paused) return undefined;
  const launches = launchesOf(lines, queueId);
  const running = countRunning(launches);
  return firstOf(
    launches.filter((launch) => isEligible(launch, queue, running, labels)),
    orderOf(queue, running),
  );
}

/** How many launches of a queue hold a slot, whoever holds it: limits are counted from rows, never kept in a counter that could leak. */
export interface Running {
  readonly total: number;
  readonly byProject: ReadonlyMap<string, number>;
}

export function countRunning(launches: readonly LaunchRow[]): Running {
  const byProject = new Map<string, number>();
  let total = 0;
  for (const launch of launches) {
    if (!holdsSlot(launch)) continue;
    total++;
    byProject.set(launch.project, (byProject.get(launch.project) ?? 0) + 1);
  }
  return { total, byProject };
}

export const isEligible = (launch: LaunchRow, queue: QueueRow, running: Running, labels: Labels): boolean =>
  isQueued(launch) &&
  launch.hold === null &&
  satisfies(labels, launch.requires) &&
  running.total < (queue.maxRunning ?? Infinity) &&
  (running.byProject.get(launch.project) ?? 0) < projectLimit(queue, launch.project);

/** A project's own limit in this queue stands in place of the one for every project. */
export const projectLimit = (queue: QueueRow, project: string): number =>
  queue.projects[project]?.maxRunning ?? queue.maxRunningPerProject ?? Infinity;

type Order = (a: LaunchRow, b: LaunchRow) => number;

export const byPriorityAndRank: Order = (a, b) => a.priority - b.priority || a.rank - b.rank;

function orderOf(queue: QueueRow, running: Running): Order {
  if (queue.discipline === 'fifo') return byPriorityAndRank;
  const share = ({ project }: LaunchRow): number =>
    (running.byProject.get(project) ?? 0) / (queue.projects[project]?.weight ?? 1);
  return (a, b) => a.priority - b.priority || share(a) - share(b) || a.rank - b.rank;
}

function firstOf(launches: readonly LaunchRow[], order: Order): LaunchRow | undefined {
  let first: LaunchRow | undefined;
  for (const launch of launches) if (first === undefined || order(launch, first) < 0) first = launch;
  return first;
}

export const launchesOf = (lines: Lines, queueId: string): LaunchRow[] =>
  [...lines.launches.values()].filter((launch) => launch.queue === queueId);
