import { z } from 'zod';
import { isTerminal, launchStateSchema, logStreams } from '../../domain/words.js';
import { DavitError } from '../../domain/errors.js';
import { logStreamsOf, readLog } from '../../store/launch-logs.js';
import { launchById, type LaunchRow } from '../../store/launches.js';
import type { Store } from '../../store/open.js';
import { requireLaunch } from './launch-access.js';
import { failureSchema } from './launch-schemas.js';
import { launchParams } from './launches.js';
import { LogReader } from './log-follower.js';
import { defineRoute } from './route.js';
import { maybeTime, timeSchema, wholeNumber } from './schemas.js';
import { openEventStream, waker } from './sse.js';

const chunkSchema = z
  .object({
    n: z.int().describe('Number of the chunk in the launch, from 1, without gap.'),
    attempt: z.int(),
    stream: z.enum(logStreams),
    fromByte: z.int().describe('Where its bytes begin in the stream.'),
    at: timeSchema,
    text: z.string(),
  })
  .meta({ id: 'LogChunk' });

const filterQuery = {
  stream: z.enum(logStreams).optional().describe('Default: all.'),
  attempt: wholeNumber(1, 999_999).optional().describe('Default: all.'),
};

const read = defineRoute({
  method: 'get',
  path: '/launches/{id}/logs',
  operationId: 'readLaunchLog',
  summary: 'The log of a launch as chunks',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  query: z.strictObject({
    ...filterQuery,
    from: wholeNumber(1, 2_147_483_647).optional().describe('First chunk number; default 1.'),
  }),
  response: z
    .object({
      chunks: z.array(chunkSchema),
      nextFrom: z.int().describe('Ask from here for what comes after.'),
      more: z.boolean().describe('There is more to read now.'),
      ended: z.boolean().describe('Nothing will be added any more.'),
    })
    .meta({ id: 'LogPage' }),
  handler: async ({ actor, params, query, deps }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    // Asked before reading: what ends in between is read the next time.
    const ended = await isLogOver(deps.db, row);
    const reader = new LogReader(deps.db, row.id, (query.from ?? 1) - 1, query);
    const { chunks, more } = await reader.read();
    return { chunks, nextFrom: reader.position + 1, more, ended: ended && !more };
  },
});

const readText = defineRoute({
  method: 'get',
  path: '/launches/{id}/logs/text',
  operationId: 'readLaunchLogText',
  summary: 'The log of a launch as it was written, byte for byte',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  query: z.strictObject(filterQuery),
  streams: ['text/plain'],
  handler: async ({ actor, params, query, deps, res }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    res.setHeader('Content-Type', 'text/plain; charset=utf-8');
    for (let after = 0; ;) {
      const rows = await readLog(deps.db, row.id, { after, limit: 100, ...query });
      for (const chunk of rows) {
        if (chunk.wanted && !res.write(chunk.data) && !res.destroyed)
          await new Promise<void>((resolve) => {
            res.once('drain', resolve);
            res.once('close', resolve);
          });
        after = chunk.n;
      }
      if (rows.length < 100 || res.destroyed) break;
    }
    res.end();
  },
});

/** Notifications do nearly all of it; this is for those that are lost with a connection. */
const pollMs = 5_000;

const follow = defineRoute({
  method: 'get',
  path: '/launches/{id}/logs/stream',
  operationId: 'followLaunchLog',
  summary: 'Follow the log of a launch while it is written',
  description:
    'Server-sent events: `log` (a LogChunk, the event id is its number) and at last `end`, when the launch has ended and all is sent. ' +
    'Resume with Last-Event-ID: nothing is skipped or repeated.',
  tag: 'launches',
  auth: 'user',
  params: launchParams,
  query: z.strictObject({
    ...filterQuery,
    from: wholeNumber(1, 2_147_483_647)
      .optional()
      .describe('First chunk number; default 1. Last-Event-ID goes before it.'),
  }),
  headers: { 'Last-Event-ID': { description: 'Number of the last chunk that was received.' } },
  streams: ['text/event-stream'],
  handler: async ({ actor, params, query, deps, req, res }) => {
    const row = await requireLaunch(deps.db, actor, params.id, 'viewer');
    const after = lastEventNumber(req.get('last-event-id')) ?? (query.from ?? 1) - 1;
    const stream = openEventStream(req, res);
    const { wake, next } = waker(stream.signal);
    // Before the first read: what is written between a read and a wait must wake.
    const leave = deps.events.onLaunch(row.id, wake);
    try {
      const reader = new LogReader(deps.db, row.id, after, query);
      while (!stream.signal.aborted) {
        const now = await launchById(deps.db, row.id);
        const over = !now || (await isLogOver(deps.db, now));
        for (let more = true; more && !stream.signal.aborted;) {
          const result = await reader.read();
          for (const chunk of result.chunks) await stream.send({ event: 'log', id: String(chunk.n), data: chunk });
          more = result.more;
        }
        if (over) {
          if (now) await stream.send({ event: 'end', id: String(reader.position), data: toEnd(now) });
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

export const logEndSchema = z
  .object({
    state: launchStateSchema,
    exitCode: z.int().nullable(),
    failure: failureSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'LogEnd' });
const toEnd = (row: LaunchRow): z.input<typeof logEndSchema> => ({
  state: row.state,
  exitCode: row.exit_code,
  failure: row.failure,
  endedAt: maybeTime(row.ended_at),
});

/** An agent that died for good never says that its streams have ended; after this nothing is expected of it any more. */
const graceMs = 10_000;

async function isLogOver(db: Store, row: LaunchRow): Promise<boolean> {
  if (!isTerminal(row.state)) return false;
  if (row.ended_at !== null && row.ended_at.getTime() < Date.now() - graceMs) return true;
  const streams = await logStreamsOf(db, row.id);
  return streams.every((stream) => stream.ended || stream.attempt < row.attempt);
}

function lastEventNumber(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw new DavitError('invalid-request', 'Last-Event-ID: is not a chunk number', {
    errors: [{ path: 'header.Last-Event-ID', message: 'is not a chunk number' }],
  });
}

export const launchLogRoutes = [read, readText, follow];
