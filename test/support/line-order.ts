/**
 * Was the line kept? The story of a queue's launches, replayed in the order of the database's clock: whenever one was claimed, it must have
 * been the first of those that waited at that moment.
 *
 * The order is exact: a claim, a return and a cancel write their time under the line's exclusive lock, an acceptance under the shared one.
 */
export interface LineEvent {
  launchId: string;
  priority: number;
  rank: number;
  type: string;
}

/** Every event that moves a launch in or out of the line of this queue. */
export const lineEventsOf = (queue: string): string => `
  select e.launch_id as "launchId", l.priority, l.rank::float8 as rank, e.type
  from launch_event e join launch l on l.id = e.launch_id join queue q on q.id = l.queue_id
  where q.name = '${queue}' and e.type in ('queued', 'claimed', 'returned', 'held', 'released', 'stopped')
  order by e.at, e.type = 'queued' desc`;

/** One sentence for each claim that passed somebody over; empty when the line was kept. */
export function inversionsIn(events: readonly LineEvent[]): string[] {
  const waiting = new Map<string, LineEvent>();
  const inversions: string[] = [];
  for (const event of events) {
    if (['queued', 'returned', 'released'].includes(event.type)) waiting.set(event.launchId, event);
    else if (event.type === 'stopped' || event.type === 'held') waiting.delete(event.launchId);
    else {
      const first = [...waiting.values()].reduce<LineEvent | undefined>(
        (best, each) => (best === undefined || isBefore(each, best) ? each : best),
        undefined,
      );
      if (first?.launchId !== event.launchId)
        inversions.push(`${event.launchId} was claimed while ${first?.launchId ?? 'nobody'} was first`);
      waiting.delete(event.launchId);
    }
  }
  return inversions;
}

const isBefore = (a: LineEvent, b: LineEvent): boolean =>
  a.priority < b.priority || (a.priority === b.priority && a.rank < b.rank);
