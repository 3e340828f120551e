import { sql } from 'kysely';
import { addStats, emptyStats, type MetricStats } from '../domain/metric-stats.js';
import { numberOf } from '../domain/metric-stats.js';
import type { Segment } from '../domain/metric-segment.js';
import type { Store } from './open.js';
import type { MetricFile } from './schema.js';
import { storable } from './text.js';

/** Rows of segments and chunks. Whoever writes them holds the run's row. */

const chunksPerInsert = 500;

export async function writeSegment(tx: Store, runId: number, file: MetricFile, segment: Segment): Promise<void> {
  const { first, until } = segment;
  await tx
    .insertInto('metric_segment')
    .values({ run_id: runId, file, first, until, lines: segment.lines, present: bytes(segment.present) })
    .execute();
  for (let at = 0; at < segment.chunks.length; at += chunksPerInsert) {
    const chunks = segment.chunks.slice(at, at + chunksPerInsert);
    await sql`
      insert into metric_chunk (run_id, file, key, first, until, lines, present, numbers, stats, low, high)
      select ${runId}::int, ${file}, key, ${first}::int, ${until}::int, lines, present, numbers, stats, low, high
      from unnest(
        ${chunks.map((c) => storable(c.key))}::text[],
        ${chunks.map((c) => c.lines)}::int[],
        ${chunks.map((c) => bytes(c.present))}::bytea[],
        ${chunks.map((c) => bytes(c.numbers))}::bytea[],
        ${chunks.map((c) => statsText(c.stats))}::jsonb[],
        ${chunks.map((c) => numberOf(c.stats.min) ?? null)}::float8[],
        ${chunks.map((c) => numberOf(c.stats.max) ?? null)}::float8[]
      ) as given (key, lines, present, numbers, stats, low, high)
      on conflict do nothing
    `.execute(tx);
  }
}

/** Segments that begin in the range, with their chunks. */
export async function removeSegments(
  tx: Store,
  runId: number,
  file: MetricFile,
  range: { from: number; until: number },
): Promise<void> {
  for (const table of ['metric_chunk', 'metric_segment'] as const)
    await tx
      .deleteFrom(table)
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .where('first', '>=', range.from)
      .where('first', '<', range.until)
      .execute();
}

/** What is known of keys in all folded lines, brought forward by one more segment behind them. */
export async function addToMetrics(tx: Store, runId: number, file: MetricFile, segment: Segment): Promise<void> {
  const keys = segment.chunks.map((c) => storable(c.key));
  const known = new Map(
    (
      await tx
        .selectFrom('run_metric')
        .select(['key', 'stats'])
        .where('run_id', '=', runId)
        .where('file', '=', file)
        .where(sql<boolean>`key = any(${keys}::text[])`)
        .execute()
    ).map((row) => [row.key, row.stats]),
  );
  const merged = segment.chunks.map((chunk, i) => {
    const stats = known.get(keys[i] ?? '') ?? emptyStats();
    addStats(stats, chunk.stats);
    return { key: chunk.key, stats };
  });
  await writeMetrics(tx, runId, file, merged);
}

/** The same from all chunks, after some of them changed or went away. */
export async function recountMetrics(tx: Store, runId: number, file: MetricFile): Promise<void> {
  await tx.deleteFrom('run_metric').where('run_id', '=', runId).where('file', '=', file).execute();
  let current: { key: string; stats: MetricStats } | undefined;
  let done: { key: string; stats: MetricStats }[] = [];
  for await (const { key, stats } of chunkStats(tx, runId, file)) {
    if (current?.key !== key) {
      current = { key, stats: emptyStats() };
      done.push(current);
      if (done.length > chunksPerInsert) {
        await writeMetrics(tx, runId, file, done.slice(0, -1));
        done = [current];
      }
    }
    addStats(current.stats, stats);
  }
  await writeMetrics(tx, runId, file, done);
}

async function* chunkStats(tx: Store, runId: number, file: MetricFile) {
  const batch = 5_000;
  for (let after: { key: string; first: number } | undefined; ;) {
    const rows: { key: string; first: number; stats: MetricStats }[] = await tx
      .selectFrom('metric_chunk')
      .select(['key', 'first', 'stats'])
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .$if(after !== undefined, (query) =>
        query.where(sql<boolean>`(key, first) > (${after?.key ?? ''}, ${after?.first ?? 0}::int)`),
      )
      .orderBy('key')
      .orderBy('first')
      .limit(batch)
      .execute();
    yield* rows;
    after = rows.at(-1);
    if (rows.length < batch) return;
  }
}

async function writeMetrics(
  tx: Store,
  runId: number,
  file: MetricFile,
  metrics: readonly { key: string; stats: MetricStats }[],
): Promise<void> {
  for (let at = 0; at < metrics.length; at += chunksPerInsert) {
    const some = metrics.slice(at, at + chunksPerInsert);
    await sql`
      insert into run_metric (run_id, file, key, stats)
      select ${runId}::int, ${file}, key, stats
      from unnest(${some.map((m) => storable(m.key))}::text[], ${some.map((m) => statsText(m.stats))}::jsonb[]) as given (key, stats)
      on conflict (run_id, file, key) do update set stats = excluded.stats
    `.execute(tx);
  }
}

/** JSON of the database holds no NUL either, written out or not. */
const statsText = (stats: MetricStats): string =>
  JSON.stringify(stats, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));

/** Little-endian like every machine this runs on. */
const bytes = (array: Uint8Array | Float64Array | undefined): Buffer | null =>
  array === undefined ? null : Buffer.from(array.buffer, array.byteOffset, array.byteLength);
