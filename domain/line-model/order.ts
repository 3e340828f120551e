import type { HoldCause, LaunchState } from '../words.js';
import { mediumPriority, refusalOf } from './accept.js';
import { byPriorityAndRank, countRunning, launchesOf } from './pick-next.js';
import type { Protocol } from './protocol.js';
import { changed, isQueued, putLaunch, rankGap, type LaunchRow, type Lines } from './rows.js';

/** What people do with waiting launches. Each either happens, or the launch was taken before it, and the answer says so. */

export type MovedOutcome = { lines: Lines } & (
  { outcome: 'done' } | { outcome: 'not-waiting'; state: LaunchState } | { outcome: 'refused'; code: string }
);

const refused = (lines: Lines, code: string): MovedOutcome => ({ lines, outcome: 'refused', code });

/** Looks whether the launch still waits, and only then changes it. */
function whileWaiting(lines: Lines, id: string, change: (launch: LaunchRow) => MovedOutcome): MovedOutcome {
  const launch = lines.launches.get(id);
  if (!launch) return refused(lines, 'not-found');
  if (!isQueued(launch)) return { lines, outcome: 'not-waiting', state: launch.state };
  return change(launch);
}
const done = (lines: Lines, launch: LaunchRow): MovedOutcome => ({ lines: putLaunch(lines, launch), outcome: 'done' });

export const hold = (lines: Lines, id: string, cause: HoldCause, releaseAt: number | null): MovedOutcome =>
  whileWaiting(lines, id, (launch) => done(lines, { ...launch, hold: cause, releaseAt, v: launch.v + 1 }));

export const release = (lines: Lines, id: string): MovedOutcome =>
  whileWaiting(lines, id, (launch) =>
    launch.hold === null
      ? { lines, outcome: 'done' }
      : done(lines, { ...launch, hold: null, releaseAt: null, v: launch.v + 1 }),
  );

export type Place = { to: 'front' | 'back' } | { before: string } | { after: string };

/** Within its own priority. Everybody else keeps the order they had. */
export const move = (lines: Lines, id: string, place: Place): MovedOutcome =>
  whileWaiting(lines, id, (launch) => {
    const beside = 'before' in place ? place.before : 'after' in place ? place.after : undefined;
    if (beside !== undefined) {
      const other = lines.launches.get(beside);
      if (other?.queue !== launch.queue || other.id === id) return refused(lines, 'move-elsewhere');
      if (!isQueued(other) || other.hold !== null) return refused(lines, 'move-beside-taken');
      if (other.priority !== launch.priority) return refused(lines, 'move-across-priorities');
    }
    const equals = launchesOf(lines, launch.queue)
      .filter((each) => isQueued(each) && each.hold === null && each.priority === launch.priority && each.id !== id)
      .sort(byPriorityAndRank);
    const ranks = equals.map((each) => each.rank);
    const at = beside === undefined ? -1 : equals.findIndex((each) => each.id === beside);
    const low = 'after' in place ? ranks[at] : 'before' in place ? ranks[at - 1] : undefined;
    const high = 'before' in place ? ranks[at] : 'after' in place ? ranks[at + 1] : ranks[0];
    const atEnd = ('to' in place && place.to === 'back') || high === undefined;
    if (atEnd) {
      const moved = changedPlace(launch, (lines.ranks + 1) * rankGap);
      return done({ ...lines, ranks: lines.ranks + 1 }, moved);
    }
    return done(lines, changedPlace(launch, low === undefined ? high - rankGap : (low + high) / 2));
  });

const changedPlace = (launch: LaunchRow, rank: number): LaunchRow => ({ ...launch, rank, v: launch.v + 1 });

/** The rank stays: among its new equals the launch stands where its acceptance puts it. */
export const reprioritise = (lines: Lines, id: string, priority: number): MovedOutcome =>
  whileWaiting(lines, id, (launch) => {
    if (launch.priority === priority) return { lines, outcome: 'done' };
    if (priority !== mediumPriority && !lines.queues.get(launch.queue)?.priorities)
      return refused(lines, 'priority-not-allowed');
    return done(lines, changed(launch, { priority, told: false, due: launch.told || launch.due }));
  });

/** To the end of its priority in another queue. */
export const transfer = (lines: Lines, id: string, queue: string): MovedOutcome =>
  whileWaiting(lines, id, (launch) => {
    if (launch.queue === queue) return { lines, outcome: 'done' };
    const refusal = refusalOf(lines, queue, launch.priority);
    if (refusal) return refused(lines, refusal);
    const ranks = lines.ranks + 1;
    const due = launch.told || launch.due;
    return done({ ...lines, ranks }, changed(launch, { queue, rank: ranks * rankGap, told: false, due }));
  });

/** Its time-to-live is over. */
export const expire = (p: Protocol, lines: Lines, id: string): MovedOutcome =>
  whileWaiting(lines, id, (launch) =>
    launch.expiresAt === null || launch.expiresAt > lines.now
      ? refused(lines, 'not-yet')
      : done(lines, p.stopped(launch)),
  );

export const countsOf = (lines: Lines, queue: string): { waiting: number; held: number } => {
  const queued = launchesOf(lines, queue).filter(isQueued);
  const held = queued.filter((launch) => launch.hold !== null).length;
  return { waiting: queued.length - held, held };
};

/** 1 = next. In a fair queue: the order in which the line would be served if nothing ended or came. */
export function positionOf(lines: Lines, id: string): number | undefined {
  const asked = lines.launches.get(id);
  const queue = asked && lines.queues.get(asked.queue);
  if (!asked || !queue) return undefined;
  const all = launchesOf(lines, asked.queue);
  const waiting = all.filter((launch) => isQueued(launch) && launch.hold === null).sort(byPriorityAndRank);
  if (queue.discipline === 'fifo') return placeOf(waiting, id);
  const taken = new Map(countRunning(all).byProject);
  const share = (project: string): number => (taken.get(project) ?? 0) / (queue.projects[project]?.weight ?? 1);
  for (let position = 1; waiting.length > 0; position++) {
    const next = waiting.reduce((best, each) =>
      each.priority === best.priority && share(each.project) < share(best.project) ? each : best,
    );
    if (next.id === id) return position;
    taken.set(next.project, (taken.get(next.project) ?? 0) + 1);
    waiting.splice(waiting.indexOf(next), 1);
  }
  return undefined;
}

function placeOf(waiting: readonly LaunchRow[], id: string): number | undefined {
  const place = waiting.findIndex((launch) => launch.id === id);
  return place < 0 ? undefined : place + 1;
}
