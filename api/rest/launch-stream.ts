import { z } from 'zod';
import { isTerminal } from '../../domain/words.js';
import { listEvents } from '../../store/launch-events.js';
import { launchById } from '../../store/launches.js';
import { requireLaunch } from './launch-access.js';
import { toEvent, toLaunch } from './launch-schemas.js';
import { launchParams } from './launches.js';
import { defineRoute } from './route.js';
import { openEventStream, waker } from './sse.js';

const pollMs = 5_000;

/** What a reader has seen: the highest number of each writer. Travels as the event id. */
type Seen = Record<string, number>;
const seenSchema = z.record(z.string(), z.number());
const encodeSeen = (seen: Seen): string => Buffer.from(JSON.stringify(seen)).toString('base64url');

function decodeSeen(header: string | undefined): Seen {
  if (header === undefined) return {};
  try {
    return seenSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    // Not an id of ours: from the beginning, which a reader can tell by the events' keys.
    return {};
  }
}

const follow = defineRoute({
  method: 'get',
  path: '/launches/{id}/events/stream',
  operationId: 'followLaunchEvents',
  summary: 'Follow a launch through its states',
  description:
    'Server-sent events: `event` (a LaunchEvent of the timeline), `launch` (the Launch, at the beginning and whenever it changed), at last `end`. ' +
    'Resume with Last-Event-ID: events of the timeline are not repeated.',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  headers: { 'Last-Event-ID': { description: 'Id of the last event that was received.' } },
  streams: ['text/event-stream'],
  handler: async ({ actor, params, deps, req, res }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    const seen = decodeSeen(req.get('last-event-id'));
    const sent = new Set<string>();
    let shown = '';
    const stream = openEventStream(req, res);
    const { wake, next } = waker(stream.signal);
    const leave = deps.events.onLaunch(row.id, wake);
    const resumed = { ...seen };
    try {
      while (!stream.signal.aborted) {
        const now = await launchById(deps.db, row.id);
        if (!now) break;
        for (const event of await listEvents(deps.db, row.id)) {
          const view = toEvent(event);
          if (sent.has(view.key) || event.n <= (resumed[event.writer] ?? -Infinity)) continue;
          sent.add(view.key);
          seen[event.writer] = Math.max(seen[event.writer] ?? event.n, event.n);
          await stream.send({ event: 'event', id: encodeSeen(seen), data: view });
        }
        const launch = toLaunch(now);
        const text = JSON.stringify(launch);
        if (text !== shown) {
          shown = text;
          await stream.send({ event: 'launch', id: encodeSeen(seen), data: launch });
        }
        if (isTerminal(now.state)) {
          await stream.send({ event: 'end', id: encodeSeen(seen), data: { state: now.state } });
          break;
        }
        await next(pollMs);
      }
      stream.end();
    } finally {
      leave();
    }
  },
});

export const launchStreamRoutes = [follow];
