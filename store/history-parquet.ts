import { setImmediate } from 'node:timers/promises';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { sql } from 'kysely';
import { rankOf } from '../domain/bits.js';
import { groupRows } from '../domain/history-table.js';
import type { Store } from './open.js';

/** Some lines of history as a parquet file, made of the folded numbers: no line is looked at, and a row group is all that is held. */

export interface LineRange {
  first: number;
  /** Not included. */
  until: number;
}

/** A step that is no whole number: the table cannot be made. */
export class StepError extends Error {}

/** `columns`: from `tableColumns`, for this very view of the database. */
export async function* parquetOfHistory(
  tx: Store,
  runId: number,
  range: LineRange,
  columns: readonly string[],
): AsyncGenerator<Buffer> {
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: 'davit' });
  const size = groupRows(columns.length, range.until - range.first);
  for await (const { rows, values } of rowGroups(tx, runId, range, columns, size)) {
    await writer.write({
      columnData: columns.map((name, i) => sourceOf(name, values[i]?.subarray(0, rows))),
      rowGroupSize: rows,
    });
    yield taken(bytes);
    // Others are waiting.
    await setImmediate();
  }
  await writer.finish();
  yield taken(bytes);
}

const schemaOf = (columns: readonly string[]): ConstructorParameters<typeof ParquetWriter>[0]['schema'] => [
  { name: 'history', num_children: columns.length },
  ...columns.map((name) => ({
    name,
    type: name === '_step' ? ('INT64' as const) : ('DOUBLE' as const),
    repetition_type: 'REQUIRED' as const,
  })),
];

function sourceOf(name: string, values: Float64Array = new Float64Array()) {
  // Clients find the row groups of a range by what is known of the steps in them; of other columns they need not know it.
  const isStep = name === '_step';
  const data = isStep ? BigInt64Array.from(values, stepOf) : values;
  return { name, data, encoding: 'PLAIN' as const, offsetIndex: false, statistics: isStep };
}

function stepOf(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new StepError(`the step ${value} is no whole number`);
  return BigInt(value);
}

/** What was written since the last time; positions in the file go on. */
function taken(bytes: ByteWriter): Buffer {
  const part = Buffer.from(bytes.getBytes());
  bytes.index = 0;
  return part;
}

/** The same arrays again and again: what is yielded holds until the next is asked for. */
async function* rowGroups(
  tx: Store,
  runId: number,
  range: LineRange,
  columns: readonly string[],
  size: number,
): AsyncGenerator<{ rows: number; values: readonly Float64Array[] }> {
  const values = columns.map(() => new Float64Array(size));
  let rows = 0;
  for (const { first, from, to } of await stretches(tx, runId, range)) {
    const chunks = await readChunks(tx, runId, first, columns);
    for (let at = from; at < to;) {
      const count = Math.min(to - at, size - rows);
      for (const [i, chunk] of chunks.entries()) values[i]?.set(chunk.subarray(at, at + count), rows);
      at += count;
      rows += count;
      if (rows < size) continue;
      yield { rows, values };
      rows = 0;
    }
  }
  if (rows > 0) yield { rows, values };
}

/** Of each segment the rows that are in the range. */
async function stretches(
  tx: Store,
  runId: number,
  range: LineRange,
): Promise<{ first: number; from: number; to: number }[]> {
  const segments = await tx
    .selectFrom('metric_segment')
    .select(['first', 'until', 'lines', 'present'])
    .where('run_id', '=', runId)
    .where('file', '=', 'history')
    .where('until', '>', range.first)
    .where('first', '<', range.until)
    .orderBy('first')
    .execute();
  return segments.map(({ first, until, lines, present }) => ({
    first,
    from: range.first <= first ? 0 : rankOf(present ?? undefined, range.first - first),
    to: range.until >= until ? lines : rankOf(present ?? undefined, range.until - first),
  }));
}

/** The numbers of a segment: every line of it has every key. */
async function readChunks(
  tx: Store,
  runId: number,
  first: number,
  columns: readonly string[],
): Promise<Float64Array[]> {
  const { rows } = await sql<{ n: number; numbers: Buffer | null }>`
    select n::int, c.numbers from unnest(${[...columns]}::text[]) with ordinality as asked (key, n)
    join metric_chunk c on c.run_id = ${runId}::int and c.file = 'history' and c.key = asked.key and c.first = ${first}::int
    order by n
  `.execute(tx);
  if (rows.length !== columns.length)
    throw new Error(`segment ${first} of run ${runId} lacks a key that all lines have`);
  return rows.map(({ numbers }) => numbersOf(numbers ?? Buffer.alloc(0)));
}

function numbersOf(bytes: Buffer): Float64Array {
  // A view would have to begin at a multiple of eight.
  const copy = new Uint8Array(bytes);
  return new Float64Array(copy.buffer);
}
