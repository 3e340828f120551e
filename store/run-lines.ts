import { sql } from 'kysely';
import { isJsonObject, parseExtendedJson, type Json } from '../domain/extended-json.js';
import type { Store } from './open.js';
import { storable } from './text.js';

/** The lines of a run: history (one JSON object a step), system events, console. Addressed by line number, never by byte. */

export type LineFile = 'history' | 'events' | 'log';

export interface Line {
  line: number;
  content: string;
}

export interface HistoryLine {
  line: number;
  values: Record<string, Json>;
}

export interface ConsoleLine {
  line: number;
  level: 'info' | 'error';
  /** As the client wrote it, usually ISO 8601 with microseconds; undefined when the line has none. */
  timestamp: string | undefined;
  /** Who wrote, when several processes share a run. */
  label: string | undefined;
  text: string;
}

/**
 * Puts lines at their place. The same lines again change nothing (not even on the disk); other content replaces what was there, as a progress
 * bar does. Answers which of the lines below `below` changed.
 */
export async function writeLines(
  tx: Store,
  runId: number,
  file: LineFile,
  given: { offset: number; lines: readonly string[]; below?: number },
): Promise<number[]> {
  const { offset, lines, below = 0 } = given;
  if (lines.length === 0) return [];
  const { rows } = await sql<{ line: number }>`
    with written as (
      insert into run_line (run_id, file, line, content)
      select ${runId}::int, ${file}, ${offset}::int + (n - 1)::int, content
      from unnest(${lines.map(storable)}::text[]) with ordinality as given (content, n)
      on conflict (run_id, file, line) do update set content = excluded.content where run_line.content <> excluded.content
      returning line
    )
    select line from written where line < ${below}::int
  `.execute(tx);
  return rows.map((row) => row.line);
}

/** Stored lines from `from` on, in order. A number that nobody wrote is absent. */
export const readLines = (
  db: Store,
  runId: number,
  file: LineFile,
  range: { from: number; limit: number },
): Promise<Line[]> =>
  db
    .selectFrom('run_line')
    .select(['line', 'content'])
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where('line', '>=', range.from)
    .orderBy('line')
    .limit(range.limit)
    .execute();

/** About `samples` lines, evenly over the whole, the first and the last among them. */
export async function sampleLines(
  db: Store,
  runId: number,
  file: LineFile,
  options: { total: number; samples: number },
): Promise<Line[]> {
  const { total, samples } = options;
  if (samples >= total) return readLines(db, runId, file, { from: 0, limit: Math.max(total, 0) });
  if (samples < 1) return [];
  const wanted = evenly(total, samples);
  return db
    .selectFrom('run_line')
    .select(['line', 'content'])
    .where('run_id', '=', runId)
    .where('file', '=', file)
    .where(sql<boolean>`line = any(${wanted}::int[])`)
    .orderBy('line')
    .execute();
}

/** `count` of the numbers 0 … total - 1, evenly, ends included. */
export function evenly(total: number, count: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, i) => i);
  if (count === 1) return [total - 1];
  return Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / (count - 1)));
}

export type HistoryRange = { from?: number; limit: number } | { samples: number };

/** History as values; a line that is not an object (broken on its way) is left out. */
export async function readHistory(db: Store, runId: number, range: HistoryRange): Promise<HistoryLine[]> {
  if ('limit' in range)
    return readHistoryOf(await readLines(db, runId, 'history', { from: range.from ?? 0, limit: range.limit }));
  const total = await countLines(db, runId, 'history');
  return readHistoryOf(await sampleLines(db, runId, 'history', { total, samples: range.samples }));
}

export function readHistoryOf(lines: readonly Line[]): HistoryLine[] {
  return lines.flatMap(({ line, content }) => {
    const values = valuesOf(content);
    return values ? [{ line, values }] : [];
  });
}

export function valuesOf(content: string): Record<string, Json> | undefined {
  try {
    const values = parseExtendedJson(content);
    return isJsonObject(values) ? values : undefined;
  } catch {
    return undefined;
  }
}

export async function countLines(db: Store, runId: number, file: LineFile): Promise<number> {
  const row = await db
    .selectFrom('run')
    .select(file === 'history' ? 'history_lines as n' : file === 'events' ? 'events_lines as n' : 'log_lines as n')
    .where('id', '=', runId)
    .executeTakeFirst();
  return row?.n ?? 0;
}

/**
 * Console lines from `from` on (at most `limit`), or the `last` ones. Lines that were skipped (the client may begin behind a gap) are empty, so
 * that numbers stay what the client meant.
 */
export async function readConsole(
  db: Store,
  runId: number,
  range: { from?: number; limit: number } | { last: number },
): Promise<ConsoleLine[]> {
  const total = await countLines(db, runId, 'log');
  const from = 'last' in range ? Math.max(0, total - range.last) : (range.from ?? 0);
  const end = 'last' in range ? total : Math.min(total, from + range.limit);
  if (end <= from) return [];
  const stored = await readLines(db, runId, 'log', { from, limit: end - from });
  const byNumber = new Map(stored.map((l) => [l.line, l.content]));
  return Array.from({ length: end - from }, (_, i) => consoleLine(from + i, byNumber.get(from + i) ?? ''));
}

/** Both forms that clients send: a JSON object, or `[ERROR ]<timestamp> <text>`. */
export function consoleLine(line: number, content: string): ConsoleLine {
  const structured = content.startsWith('{') ? valuesOf(content) : undefined;
  if (structured && typeof structured['content'] === 'string')
    return {
      line,
      level: structured['level'] === 'error' ? 'error' : 'info',
      timestamp: typeof structured['ts'] === 'string' ? structured['ts'] : undefined,
      label: typeof structured['label'] === 'string' ? structured['label'] : undefined,
      text: withoutBreak(structured['content']),
    };
  const match = /^(ERROR )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?) (.*)$/s.exec(content);
  return {
    line,
    level: match?.[1] === undefined ? 'info' : 'error',
    timestamp: match?.[2],
    label: undefined,
    text: withoutBreak(match?.[3] ?? content),
  };
}

/** `wandb sync` of older clients leaves each line its end. */
const withoutBreak = (text: string): string => text.replace(/\r?\n$/, '');

export function stepOf(content: string): number | undefined {
  const step = valuesOf(content)?.['_step'];
  return typeof step === 'number' ? step : undefined;
}
