import { sql } from 'kysely';
import type { Store } from './open.js';
import type { Line, LineFile } from './run-lines.js';

/** Lines without ever holding more than so many bytes of them: a line may have 16 MiB, a history a million lines. */

const batch = { lines: 2_000, bytes: 4 * 1024 * 1024 };

export interface BatchRange {
  from: number;
  /** Not included. */
  until: number;
  lines: number;
  /** At least one line comes, however long. */
  bytes: number;
}

/** Stored lines of a range, in order. `cut`: the bound of bytes ended it, so there may be more. */
export async function readLineBatch(
  db: Store,
  runId: number,
  file: LineFile,
  range: BatchRange,
): Promise<{ lines: Line[]; cut: boolean }> {
  // The window is wider by one line than what comes, so that the last one says whether something was left out.
  const { rows } = await sql<Line & { fits: boolean }>`
    select line, case when fits then content else '' end as content, fits from (
      select line, content, n = 1 or bytes <= ${range.bytes}::bigint as fits, lag(n = 1 or bytes <= ${range.bytes}::bigint, 1, true) over (order by line) as before
      from (
        select line, content, row_number() over (order by line) as n, sum(octet_length(content)) over (order by line) as bytes
        from (
          select line, content from run_line
          where run_id = ${runId}::int and file = ${file} and line >= ${range.from}::int and line < ${range.until}::bigint
          order by line limit ${range.lines}::int
        ) as stretch
      ) as counted
    ) as marked
    where fits or before
    order by line
  `.execute(db);
  const lines = rows.filter((row) => row.fits).map(({ line, content }) => ({ line, content }));
  return { lines, cut: lines.length < rows.length };
}

/** The whole range, a batch at a time. */
export async function* eachLineBatch(
  db: Store,
  runId: number,
  file: LineFile,
  range: { from: number; until: number },
): AsyncGenerator<Line[]> {
  for (let from = range.from; from < range.until;) {
    const { lines, cut } = await readLineBatch(db, runId, file, { ...batch, from, until: range.until });
    if (lines.length > 0) yield lines;
    const last = lines.at(-1);
    if (!last || (!cut && lines.length < batch.lines)) return;
    from = last.line + 1;
  }
}
