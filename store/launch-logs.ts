import { sql } from 'kysely';
import type { LogStream } from '../domain/words.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/**
 * The output of a launch: three byte streams per attempt, cut into chunks that are numbered over the whole launch. A reader that knows the
 * number of its last chunk neither misses nor repeats anything.
 */

export interface LogChunk {
  n: number;
  attempt: number;
  stream: LogStream;
  from_byte: number;
  at: Date;
  data: Buffer;
}

/**
 * Appends a piece of a stream. Safe to repeat and to overlap: bytes that are there already are skipped. A piece that begins behind the
 * present end is not taken. Returns the stream's length: the writer goes on from there.
 */
export async function appendLog(
  db: Store,
  piece: {
    launchId: string;
    attempt: number;
    stream: LogStream;
    fromByte: number;
    at: Date;
    data: Uint8Array;
    ended?: boolean;
  },
): Promise<{ length: number }> {
  // A writer that only asks where it is changes nothing, and needs no turn.
  if (piece.data.length === 0 && piece.ended !== true) return { length: await streamLength(db, piece) };
  return inTransaction(db, async (tx) => {
    // One writer at a time per launch: chunk numbers become visible in their order, without gap.
    await sql`select pg_advisory_xact_lock(2, hashtext(${piece.launchId}))`.execute(tx);
    const stream = tx
      .selectFrom('launch_log_stream')
      .select(['length', 'ended'])
      .where('launch_id', '=', piece.launchId)
      .where('attempt', '=', piece.attempt)
      .where('stream', '=', piece.stream);
    const before = await stream.executeTakeFirst();
    const length = before?.length ?? 0;
    const fresh = piece.fromByte > length ? new Uint8Array() : piece.data.subarray(length - piece.fromByte);
    const whole = piece.fromByte <= length;
    if (fresh.length > 0)
      await tx
        .insertInto('launch_log')
        .values((eb) => ({
          launch_id: piece.launchId,
          n: eb
            .selectFrom('launch_log')
            .where('launch_id', '=', piece.launchId)
            .select(sql<number>`coalesce(max(n), 0) + 1`.as('n')),
          attempt: piece.attempt,
          stream: piece.stream,
          from_byte: length,
          at: piece.at,
          data: Buffer.from(fresh.buffer, fresh.byteOffset, fresh.byteLength),
        }))
        .execute();
    const after = length + fresh.length;
    const ended = (before?.ended ?? false) || (whole && piece.ended === true);
    await tx
      .insertInto('launch_log_stream')
      .values({ launch_id: piece.launchId, attempt: piece.attempt, stream: piece.stream, length: after, ended })
      .onConflict((c) => c.columns(['launch_id', 'attempt', 'stream']).doUpdateSet({ length: after, ended }))
      .execute();
    // The end is news as well, and brings no chunk of its own.
    if (ended && !before?.ended && fresh.length === 0)
      await sql`select pg_notify('davit', ${`launch ${piece.launchId}`})`.execute(tx);
    return { length: after };
  });
}

async function streamLength(
  db: Store,
  place: { launchId: string; attempt: number; stream: LogStream },
): Promise<number> {
  const row = await db
    .selectFrom('launch_log_stream')
    .select('length')
    .where('launch_id', '=', place.launchId)
    .where('attempt', '=', place.attempt)
    .where('stream', '=', place.stream)
    .executeTakeFirst();
  return row?.length ?? 0;
}

/** Chunks behind number `after`, in order. The data of chunks that the filter leaves out is empty: their numbers still count. */
export async function readLog(
  db: Store,
  launchId: string,
  options: { after: number; limit: number; stream?: LogStream | undefined; attempt?: number | undefined },
): Promise<(LogChunk & { wanted: boolean })[]> {
  const { stream, attempt } = options;
  const wanted = sql<boolean>`(${stream ?? null}::text is null or stream = ${stream ?? null}) and (${attempt ?? null}::int is null or attempt = ${attempt ?? null})`;
  return db
    .selectFrom('launch_log')
    .select(['n', 'attempt', 'stream', 'from_byte', 'at', wanted.as('wanted')])
    .select(sql<Buffer>`case when ${wanted} then data else ''::bytea end`.as('data'))
    .where('launch_id', '=', launchId)
    .where('n', '>', options.after)
    .orderBy('n')
    .limit(options.limit)
    .execute();
}

/** The last bytes of a stream before a position: where a character that is cut by a chunk's edge begins. */
export async function bytesBefore(
  db: Store,
  launchId: string,
  place: { attempt: number; stream: LogStream; fromByte: number },
): Promise<Buffer> {
  if (place.fromByte === 0) return Buffer.alloc(0);
  const rows = await db
    .selectFrom('launch_log')
    .select(['n', sql<Buffer>`substring(data from greatest(1, octet_length(data) - 3))`.as('data')])
    .where('launch_id', '=', launchId)
    .where('attempt', '=', place.attempt)
    .where('stream', '=', place.stream)
    .where('from_byte', '<', place.fromByte)
    .orderBy('n', 'desc')
    .limit(4)
    .execute();
  return Buffer.concat(rows.reverse().map((row) => row.data)).subarray(-4);
}

export const logStreamsOf = (db: Store, launchId: string) =>
  db
    .selectFrom('launch_log_stream')
    .select(['attempt', 'stream', 'length', 'ended'])
    .where('launch_id', '=', launchId)
    .orderBy('attempt')
    .orderBy('stream')
    .execute();
