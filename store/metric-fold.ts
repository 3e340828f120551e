import { sql } from 'kysely';
import { blockLines, isOfEveryLine, mostKeys, SegmentBuilder } from '../domain/metric-segment.js';
import { addToMetrics, recountMetrics, removeSegments, writeSegment } from './metric-rows.js';
import type { Store } from './open.js';
import { valuesOf, type LineFile } from './run-lines.js';
import type { MetricFile } from './schema.js';
import { readLineBatch } from './line-batches.js';

/**
 * Lines into chunks. A request is acknowledged when its lines are stored; folding comes after, a segment a transaction, by whoever writes or reads next. A
 * process that dies in between leaves lines that are not folded yet, and readers take those as they are. Bounded: one segment is at most 1,024
 * lines and `segmentBytes` of text, or a single line.
 */

export const segmentBytes = 8 * 1024 * 1024;

/** Folds all that is worth it; `rest` also what is left when a run has ended. */
export async function foldLines(db: Store, runId: number, file: MetricFile, options: { rest: boolean }): Promise<void> {
  const fold = () =>
    db.isTransaction
      ? foldOne(db, runId, file, options)
      : db.transaction().execute((tx) => foldOne(tx, runId, file, options));
  while (await fold());
}

/** What is due after a request was stored: a full block, a heavy stretch, lines written again, or the end. Usually one look and nothing to do. */
export async function foldAfter(
  db: Store,
  runId: number,
  request: { lines: { file: LineFile; lines: readonly string[] }[]; complete: boolean },
): Promise<void> {
  for (const file of ['history', 'events'] as const) {
    const given = request.lines.filter((part) => part.file === file).flatMap((part) => part.lines);
    if (given.length === 0 && !request.complete) continue;
    const heavy = given.reduce((sum, line) => sum + line.length, 0) >= heavyRequest;
    const { behind, dirty } = await dueOf(db, runId, file);
    if (request.complete || heavy || dirty || behind >= blockLines)
      await foldLines(db, runId, file, { rest: request.complete });
  }
}

/** A request from this size on is worth a look at what the lines weigh that are not folded. */
const heavyRequest = 64 * 1024;

async function dueOf(db: Store, runId: number, file: MetricFile): Promise<{ behind: number; dirty: boolean }> {
  const row = await db
    .selectFrom('run')
    .leftJoin('metric_fold', (join) => join.onRef('run_id', '=', 'run.id').on('file', '=', file))
    .select([file === 'history' ? 'history_lines as total' : 'events_lines as total', 'folded', 'dirty'])
    .where('run.id', '=', runId)
    .executeTakeFirst();
  return { behind: (row?.total ?? 0) - (row?.folded ?? 0), dirty: (row?.dirty ?? []).length > 0 };
}

/** One dirty block or one segment. False = nothing to do. */
async function foldOne(tx: Store, runId: number, file: MetricFile, options: { rest: boolean }): Promise<boolean> {
  const run = await tx
    .selectFrom('run')
    .select(file === 'history' ? 'history_lines as total' : 'events_lines as total')
    .where('id', '=', runId)
    .forUpdate()
    .executeTakeFirst();
  if (!run) return false;
  const fold = await foldOf(tx, runId, file);
  const [block] = fold.dirty;
  if (block !== undefined) {
    await refoldBlock(tx, runId, file, { block, folded: fold.folded });
    await tx
      .updateTable('metric_fold')
      .set({ dirty: fold.dirty.filter((other) => other !== block) })
      .where('run_id', '=', runId)
      .where('file', '=', file)
      .execute();
    return true;
  }
  if (fold.folded >= run.total) return false;
  const next = await nextLine(tx, runId, file, fold.folded);
  if (next === undefined) return false;
  // Behind a gap of whole blocks the next segment begins with its own block.
  const first = Math.max(fold.folded, next - (next % blockLines));
  const end = first - (first % blockLines) + blockLines;
  const until = await foldSegment(tx, runId, file, {
    first,
    limit: Math.min(end, run.total),
    // A block that is still growing waits until it is full or heavy.
    whole: !options.rest && run.total < end,
    fresh: true,
  });
  if (until === undefined) return false;
  await tx
    .insertInto('metric_fold')
    .values({ run_id: runId, file, folded: until })
    .onConflict((c) => c.columns(['run_id', 'file']).doUpdateSet({ folded: until }))
    .execute();
  return true;
}

export async function foldOf(db: Store, runId: number, file: MetricFile) {
  const row = await db
    .selectFrom('metric_fold')
    .select(['folded', 'dirty', 'partial'])
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .executeTakeFirst();
  return row ?? { folded: 0, dirty: [], partial: false };
}

interface Stretch {
  first: number;
  /** At most so far. */
  limit: number;
  /** Only when the stretch is as heavy as a segment may be. */
  whole: boolean;
  /** Its keys are added to what is known of the run; else the caller counts anew. */
  fresh: boolean;
}

/** Folds one segment from `first`; says where it ends. */
async function foldSegment(tx: Store, runId: number, file: MetricFile, stretch: Stretch): Promise<number | undefined> {
  const { first, limit, whole, fresh } = stretch;
  if (whole && (await weightOf(tx, runId, file, stretch)) < segmentBytes) return undefined;
  const { lines, cut } = await readLineBatch(tx, runId, file, {
    from: first,
    until: limit,
    lines: blockLines,
    bytes: segmentBytes,
  });
  if (whole && !cut) return undefined;
  const builder = new SegmentBuilder(first, await roomForKeys(tx, runId, file));
  for (const { line, content } of lines) {
    const values = valuesOf(content);
    if (values) builder.add(line, values);
  }
  const until = cut ? (lines.at(-1)?.line ?? first) + 1 : limit;
  const segment = builder.finish(until);
  await writeSegment(tx, runId, file, segment);
  if (fresh) await addToMetrics(tx, runId, file, segment);
  if (segment.partial)
    await tx
      .insertInto('metric_fold')
      .values({ run_id: runId, file, partial: true })
      .onConflict((c) => c.columns(['run_id', 'file']).doUpdateSet({ partial: true }))
      .execute();
  return until;
}

/** Bytes of lines without reading them. */
async function weightOf(tx: Store, runId: number, file: MetricFile, { first, limit }: Stretch): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(octet_length(content)), 0)::float8 as bytes from run_line
    where run_id = ${runId}::int and file = ${file} and line >= ${first}::int and line < ${limit}::int
  `.execute(tx);
  return rows[0]?.bytes ?? 0;
}

async function refoldBlock(
  tx: Store,
  runId: number,
  file: MetricFile,
  { block, folded }: { block: number; folded: number },
): Promise<void> {
  const from = block * blockLines;
  const limit = Math.min(from + blockLines, folded);
  await removeSegments(tx, runId, file, { from, until: from + blockLines });
  for (let first = from; first < limit;)
    first = (await foldSegment(tx, runId, file, { first, limit, whole: false, fresh: false })) ?? limit;
  await recountMetrics(tx, runId, file);
}

/** Keys that are charted already, and others while there is room. */
export async function roomForKeys(tx: Store, runId: number, file: MetricFile): Promise<(key: string) => boolean> {
  const rows = await tx
    .selectFrom('run_metric')
    .select('key')
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .execute();
  const charted = new Set(rows.map((row) => row.key));
  return (key) => {
    if (charted.has(key)) return true;
    if (charted.size >= mostKeys && !isOfEveryLine(key)) return false;
    charted.add(key);
    return true;
  };
}

/** The first stored line at or behind `from`. */
async function nextLine(tx: Store, runId: number, file: MetricFile, from: number): Promise<number | undefined> {
  const row = await tx
    .selectFrom('run_line')
    .select('line')
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where('line', '>=', from)
    .orderBy('line')
    .limit(1)
    .executeTakeFirst();
  return row?.line;
}

/** Lines below the fold were written again or filled in: their blocks are folded anew. In the transaction that wrote them. */
export async function markDirty(tx: Store, runId: number, file: MetricFile, lines: readonly number[]): Promise<void> {
  if (lines.length === 0) return;
  const blocks = [...new Set(lines.map((line) => Math.floor(line / blockLines)))];
  await sql`
    update metric_fold set dirty = (select coalesce(array_agg(distinct block), '{}') from unnest(dirty || ${blocks}::int[]) as block)
    where run_id = ${runId}::int and file = ${file}
  `.execute(tx);
}
