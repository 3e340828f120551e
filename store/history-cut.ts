import { sql } from 'kysely';
import { blockLines } from '../domain/metric-segment.js';
import { spoilExports } from './history-exports.js';
import { foldOf } from './metric-fold.js';
import { recountMetrics, removeSegments } from './metric-rows.js';
import type { Store } from './open.js';
import { stepOf } from './run-lines.js';
import type { MetricFile } from './schema.js';

/** What a rewind and a fork need, inside the caller's transaction, which holds the row of the run. */

/** Takes away the lines from `kept` on and all that was computed from them; counting them is left to the caller. */
export async function cutLines(tx: Store, runId: number, kept: number, file: MetricFile = 'history'): Promise<void> {
  await tx
    .deleteFrom('run_line')
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where('line', '>=', kept)
    .execute();
  if (file === 'history') await spoilExports(tx, runId, kept);
  const { folded } = await foldOf(tx, runId, file);
  if (folded <= kept) return;
  // The block that is cut through is folded again.
  const block = kept - (kept % blockLines);
  await removeSegments(tx, runId, file, { from: block, until: 2_147_483_647 });
  await sql`
    update metric_fold set folded = ${block}::int,
      dirty = (select coalesce(array_agg(b), '{}') from unnest(dirty) as b where b < ${block / blockLines}::int)
    where run_id = ${runId}::int and file = ${file}
  `.execute(tx);
  await recountMetrics(tx, runId, file);
}

/** All that was computed from any line of a run. */
export async function forgetMetrics(tx: Store, runId: number): Promise<void> {
  for (const table of ['metric_fold', 'metric_segment', 'metric_chunk', 'run_metric'] as const)
    await tx.deleteFrom(table).where('run_id', '=', runId).execute();
}

/** How many lines there are up to a step: from the end, because a rewind goes back a little of much. A line without a step goes with the one before it. */
export async function linesUpTo(tx: Store, runId: number, step: number): Promise<number> {
  const batch = 200;
  let end = await lineCount(tx, runId);
  const fold = await foldOf(tx, runId, 'history');
  let folded = fold.dirty.length > 0 ? 0 : fold.folded;
  for (let before = end; before > 0;) {
    if (before <= folded) {
      // Whole segments behind the step need not be looked at.
      const until = await lastSegmentWith(tx, runId, step);
      if (until < before) before = end = until;
      folded = 0;
      continue;
    }
    const lines = await tx
      .selectFrom('run_line')
      .select(['line', 'content'])
      .where('run_id', '=', runId)
      .where('file', '=', 'history')
      .where('line', '<', before)
      .orderBy('line', 'desc')
      .limit(batch)
      .execute();
    for (const { line, content } of lines) {
      const found = stepOf(content);
      if (found !== undefined && found <= step) return end;
      if (found !== undefined) end = line;
    }
    before = lines.at(-1)?.line ?? 0;
  }
  return end;
}

/** Where the last segment ends that has a step up to this one. */
async function lastSegmentWith(tx: Store, runId: number, step: number): Promise<number> {
  const row = await tx
    .selectFrom('metric_chunk')
    .select('until')
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .where('key', '=', '_step')
    .where('low', '<=', step)
    .orderBy('first', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.until ?? 0;
}

async function lineCount(tx: Store, runId: number): Promise<number> {
  const row = await tx.selectFrom('run').select('history_lines as n').where('id', '=', runId).executeTakeFirst();
  return row?.n ?? 0;
}
