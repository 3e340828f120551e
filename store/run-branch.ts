import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { isJsonObject, markTokens, unmarkTokens, type Json } from '../domain/extended-json.js';
import { isLate, type LifeStart } from './life-start.js';
import type { Store } from './open.js';
import { copyFolded, copyLines } from './history-copy.js';
import { cutLines, forgetMetrics, linesUpTo } from './history-cut.js';
import { spoilExports } from './history-exports.js';

/** History that is cut off (rewind), copied to another run (fork) or forgotten (a new life). */

/** Of the metrics that are computed from lines nothing may stay that a cut line was part of. */
export async function forgetHistory(tx: Store, runId: number): Promise<void> {
  await forgetMetrics(tx, runId);
  await spoilExports(tx, runId, 0);
  await tx.deleteFrom('run_line').where('run_id', '=', runId).where('file', '=', 'history').execute();
}

/**
 * Cuts what was logged after `step`. Returns how many lines stay. A request that was held up while its repetition began the run again cuts
 * nothing: what was logged since is not what it meant.
 */
export async function rewind(db: Store, runId: number, step: number, start: LifeStart): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('run')
      .select('history_lines')
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    if (!run) throw new DavitError('not-found', 'The run was deleted.');
    if (await isLate(tx, runId, start)) return run.history_lines;
    if (start.isAbandoned())
      throw new DavitError('store-unavailable', 'The request was given up before the run could be rewound.');
    const kept = await linesUpTo(tx, runId, step);
    await cutLines(tx, runId, kept);
    await tx
      .updateTable('run')
      .set({ history_lines: kept, summary: await summaryAt(tx, runId, kept), ...inheriting })
      .where('id', '=', runId)
      .execute();
    return kept;
  });
}

/**
 * A fork begins with what its parent had logged up to `step`: its steps and lines go on from there. Its client knows no more of the parent than
 * that step, so the config is what the script gives, and the summary is kept here.
 */
export async function copyHistory(tx: Store, from: { id: number; step: number }, toRunId: number): Promise<void> {
  // Locked against a rewind or a new life of the parent; lines that it logs meanwhile are put behind what is copied.
  const parent = await tx.selectFrom('run').select('id').where('id', '=', from.id).forShare().executeTakeFirst();
  if (!parent) throw new DavitError('not-found', 'The run to fork from was deleted.');
  const lines = await linesUpTo(tx, from.id, from.step);
  await copyLines(tx, from.id, toRunId, lines);
  await copyFolded(tx, from.id, toRunId, lines);
  await tx
    .updateTable('run')
    .set({
      history_lines: lines,
      summary: await summaryAt(tx, toRunId, lines),
      ...inheriting,
    })
    .where('id', '=', toRunId)
    .execute();
}

/** What the client says of the summary is not all of it. */
const inheriting = { line_base: sql<string>`line_base || '{"inherits": true}'` };

/** So far back a value is looked for that is not logged at each step; a line longer than this is not looked at. */
const summaryLines = 200;
const summaryLineBytes = 100_000;

/** The last values before a line, as the summary had them then; the client sends its own soon. */
async function summaryAt(tx: Store, runId: number, end: number): Promise<string> {
  const lines = await tx
    .selectFrom('run_line')
    .select('content')
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .where('line', '<', end)
    .where('line', '>=', Math.max(0, end - summaryLines))
    .where(sql<boolean>`octet_length(content) <= ${summaryLineBytes}`)
    .orderBy('line')
    .execute();
  const summary: Record<string, Json> = {};
  for (const { content } of lines) {
    try {
      const values = JSON.parse(markTokens(content)) as Json;
      if (isJsonObject(values)) Object.assign(summary, values);
    } catch {
      // A line that was broken on its way is no value.
    }
  }
  return unmarkTokens(JSON.stringify(summary));
}
