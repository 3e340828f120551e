import { sql } from 'kysely';
import { blockLines } from '../domain/metric-segment.js';
import { foldOf } from './metric-fold.js';
import { recountMetrics } from './metric-rows.js';
import type { Store } from './open.js';

/**
 * A fork's own copy of lines and of what was folded from them, inside the caller's transaction, which holds the rows of both runs. A piece at a
 * time: no statement takes long, so the database notices within a second that whoever copies has died, and takes all of it back.
 */

interface Piece {
  lines: number;
  /** At least one line, however long. */
  bytes: number;
}
const usualPiece: Piece = { lines: 20_000, bytes: 32 * 1024 * 1024 };

/** The history below line `end`. */
export async function copyLines(
  tx: Store,
  from: number,
  to: number,
  end: number,
  piece: Piece = usualPiece,
): Promise<void> {
  for (let first = 0; ;) {
    const until = await endOfPiece(tx, from, { first, end }, piece);
    if (until === undefined) return;
    await sql`
      insert into run_line (run_id, file, line, content)
      select ${to}::int, file, line, content from run_line
      where run_id = ${from}::int and file = 'history' and line >= ${first}::int and line < ${until}::bigint
    `.execute(tx);
    first = until;
  }
}

/** Behind the last line of a piece; undefined: nothing is left. */
async function endOfPiece(
  tx: Store,
  runId: number,
  range: { first: number; end: number },
  piece: Piece,
): Promise<number | undefined> {
  const { rows } = await sql<{ until: number | null }>`
    select max(line)::bigint + 1 as until from (
      select line, row_number() over (order by line) as n, sum(size) over (order by line) as bytes from (
        select line, octet_length(content) as size from run_line
        where run_id = ${runId}::int and file = 'history' and line >= ${range.first}::bigint and line < ${range.end}::bigint
        order by line limit ${piece.lines}::int
      ) as stretch
    ) as counted
    where n = 1 or bytes <= ${piece.bytes}::bigint
  `.execute(tx);
  return rows[0]?.until ?? undefined;
}

/** Some megabytes. */
const chunksPerPiece = 1_000;

/** What is folded of the lines below `end`; the block that is cut through is folded anew by whoever reads it. */
export async function copyFolded(
  tx: Store,
  from: number,
  to: number,
  end: number,
  chunks = chunksPerPiece,
): Promise<void> {
  const fold = await foldOf(tx, from, 'history');
  const folded = fold.folded <= end ? fold.folded : end - (end % blockLines);
  if (folded === 0) return;
  const dirty = fold.dirty.filter((block) => block * blockLines < folded);
  await tx
    .insertInto('metric_fold')
    .values({ run_id: to, file: 'history', folded, dirty, partial: fold.partial })
    .execute();
  await sql`
    insert into metric_segment (run_id, file, first, until, lines, present)
    select ${to}::int, file, first, until, lines, present from metric_segment
    where run_id = ${from}::int and file = 'history' and first < ${folded}::int
  `.execute(tx);
  for (let last: Chunk | undefined = { key: '', first: -1 }; last !== undefined;)
    last = await copyChunks(tx, from, to, { after: last, below: folded, limit: chunks });
  await recountMetrics(tx, to, 'history');
}

interface Chunk {
  key: string;
  first: number;
}

/** The next ones in the order of the index; says which was the last. */
async function copyChunks(
  tx: Store,
  from: number,
  to: number,
  { after, below, limit }: { after: Chunk; below: number; limit: number },
): Promise<Chunk | undefined> {
  const { rows } = await sql<Chunk>`
    with copied as (
      insert into metric_chunk (run_id, file, key, first, until, lines, present, numbers, stats, low, high)
      select ${to}::int, file, key, first, until, lines, present, numbers, stats, low, high from metric_chunk
      where run_id = ${from}::int and file = 'history' and (key, first) > (${after.key}, ${after.first}::int) and first < ${below}::int
      order by key, first limit ${limit}::int
      returning key, first
    )
    select key, first from copied order by key desc, first desc limit 1
  `.execute(tx);
  return rows[0];
}
