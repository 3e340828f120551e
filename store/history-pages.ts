import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { commonBits } from '../domain/bits.js';
import { allOf, findMatches } from './history-picks.js';
import { withHistory, type HistoryState } from './history-snapshot.js';
import { eachLineBatch } from './line-batches.js';
import type { Store } from './open.js';
import { evenly, stepOf, valuesOf } from './run-lines.js';
import type { MetricFile } from './schema.js';

/** Whole lines of history or events, as the client wrote them. */

/** What one answer may weigh; more would be held in memory several times over. */
const answerBytes = 128 * 1024 * 1024;

/** About `samples` lines, evenly over all that hold an object, the first and the last among them; fewer when they are very long. */
export async function sampleWholeLines(db: Store, runId: number, file: MetricFile, samples: number): Promise<string[]> {
  return withHistory(db, runId, file, async (tx, state) => {
    const lines = await evenLines(tx, runId, file, state, samples);
    const kept = await thinned(tx, runId, file, lines);
    return readTexts(tx, runId, file, kept);
  });
}

/** Numbers of evenly picked lines. */
async function evenLines(
  tx: Store,
  runId: number,
  file: MetricFile,
  state: HistoryState,
  samples: number,
): Promise<number[]> {
  const segments = await tx
    .selectFrom('metric_segment')
    .select(['first', 'until', 'lines', 'present'])
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .orderBy('first')
    .execute();
  const tail: number[] = [];
  for await (const lines of eachLineBatch(tx, runId, file, { from: state.folded, until: state.total }))
    for (const { line, content } of lines) if (valuesOf(content)) tail.push(line);
  const folded = segments.reduce((sum, { lines }) => sum + lines, 0);
  const wanted = evenly(folded + tail.length, samples);
  const picked: number[] = [];
  let before = 0;
  let next = 0;
  for (const { first, until, lines, present } of segments) {
    const at = present ? commonBits(until - first, [present]) : undefined;
    for (let place = wanted[next]; place !== undefined && place < before + lines; place = wanted[++next])
      picked.push(first + (at ? (at[place - before] ?? 0) : place - before));
    before += lines;
  }
  for (; next < wanted.length; next++) {
    const line = tail[(wanted[next] ?? 0) - folded];
    if (line !== undefined) picked.push(line);
  }
  return picked;
}

/** As many of the lines as an answer may hold. */
async function thinned(tx: Store, runId: number, file: MetricFile, lines: readonly number[]): Promise<number[]> {
  const bytes = await bytesOf(tx, runId, file, lines);
  if (bytes <= answerBytes) return [...lines];
  const fit = Math.max(1, Math.floor((lines.length * answerBytes) / bytes / 2));
  return evenly(lines.length, fit).flatMap((i) => lines.slice(i, i + 1));
}

/** Lines with `minStep` ≤ `_step` ≤ `maxStep`, the first `limit` of them. Throws `invalid-request` when they weigh too much for one answer. */
export async function pageOfLines(
  db: Store,
  runId: number,
  file: MetricFile,
  page: { minStep: number; maxStep: number; limit: number },
): Promise<string[]> {
  const { minStep, maxStep, limit } = page;
  return withHistory(db, runId, file, async (tx, state) => {
    const picked: number[] = [];
    const { found } = await findMatches(tx, runId, file, ['_step'], { minStep, maxStep });
    for (const matches of found) {
      if (picked.length >= limit) break;
      for (const at of allOf(matches)) picked.push(matches.first + at);
    }
    if (picked.length < limit)
      for await (const lines of eachLineBatch(tx, runId, file, { from: state.folded, until: state.total }))
        for (const { line, content } of lines) {
          const step = stepOf(content);
          if (step !== undefined && step >= minStep && step <= maxStep) picked.push(line);
        }
    const lines = picked.slice(0, limit);
    if ((await bytesOf(tx, runId, file, lines)) > answerBytes)
      throw new DavitError(
        'invalid-request',
        `These ${lines.length} lines of history are more than ${answerBytes / 1024 / 1024} MiB: ask for smaller pages (page_size).`,
      );
    return readTexts(tx, runId, file, lines);
  });
}

async function bytesOf(tx: Store, runId: number, file: MetricFile, lines: readonly number[]): Promise<number> {
  if (lines.length === 0) return 0;
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(octet_length(content)), 0)::float8 as bytes from run_line
    where run_id = ${runId}::int and file = ${file} and line = any(${lines}::int[])
  `.execute(tx);
  return rows[0]?.bytes ?? 0;
}

async function readTexts(tx: Store, runId: number, file: MetricFile, lines: readonly number[]): Promise<string[]> {
  const rows = await tx
    .selectFrom('run_line')
    .select('content')
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where(sql<boolean>`line = any(${lines}::int[])`)
    .orderBy('line')
    .execute();
  return rows.map((row) => row.content);
}
