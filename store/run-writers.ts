import { sql } from 'kysely';
import { placeBlock, shiftOf, type LineBases } from '../domain/line-places.js';
import { placeReplayed } from '../domain/run-processes.js';
import type { Store } from './open.js';
import type { LineFile } from './run-lines.js';
import { runSilentMs } from './run-life.js';

/** Where the lines of a request are put, when its process does not count them as the run does; and who of several processes says the end. */

export interface SentLines {
  file: LineFile;
  offset: number;
  lines: readonly string[];
}

/** Of a process alone: one that goes on, or one that is sent again, up to its end. */
export function placeKnown(
  sent: SentLines[],
  known: LineBases,
  complete: boolean,
): { lines: SentLines[]; bases: LineBases | undefined } {
  const { replay, ...rest } = known;
  if (!replay) return placeResumed(sent, known);
  const lines = sent.flatMap((block) => {
    const offset = placeReplayed(replay, block.file, block.offset);
    return offset === undefined ? [] : [{ ...block, offset }];
  });
  return { lines, bases: complete ? rest : undefined };
}

/** Of a process that resumed and counts its console from 0. Returns what is now known of its counting, when that is new. */
function placeResumed(sent: SentLines[], known: LineBases): { lines: SentLines[]; bases: LineBases | undefined } {
  let bases: LineBases | undefined;
  const lines = sent.map((block) => {
    const base = block.file === 'history' ? undefined : (bases ?? known)[block.file];
    if (!base || block.lines.length === 0) return block;
    const shift = shiftOf(base, block.offset);
    if (base.shift === null) bases = { ...(bases ?? known), [block.file]: { ...base, shift } };
    return shift === 0 ? block : { ...block, offset: block.offset + shift };
  });
  return { lines, bases };
}

/**
 * Of one of several processes: put behind what the others wrote. The caller holds the run's lock. `mayEnd`: whether the run is over when this
 * process says so, which it is not while the one that leads goes on.
 */
export async function placeShared(
  tx: Store,
  runId: number,
  client: string,
  message: { lines: SentLines[]; complete: boolean },
  counts: Record<LineFile, number>,
): Promise<{ lines: SentLines[]; mayEnd: boolean }> {
  await addWriter(tx, runId, client, false);
  const leader = await tx
    .selectFrom('run_writer')
    .select('client')
    .where('run_id', '=', runId)
    .where('leads', '=', true)
    .where('ended', '=', false)
    .where('client', '!=', client)
    .where(sql<boolean>`seen_at > now() - ${runSilentMs} * interval '1 ms'`)
    .limit(1)
    .executeTakeFirst();
  const own = await tx
    .selectFrom('run_writer')
    .select('lines')
    .where('run_id', '=', runId)
    .where('client', '=', client)
    .executeTakeFirstOrThrow();
  const places = { ...own.lines };
  const ends = { ...counts };
  const lines: SentLines[] = [];
  for (const { file, ...block } of message.lines) {
    const placed = placeBlock(places[file] ?? [], block, ends[file]);
    places[file] = placed.stretches;
    ends[file] = placed.end;
    lines.push(...placed.blocks.map((b) => ({ file, offset: b.offset, lines: withSteps(file, b) })));
  }
  await tx
    .updateTable('run_writer')
    .set({
      seen_at: sql`now()`,
      ...(message.lines.length > 0 ? { lines: JSON.stringify(places) } : {}),
      ...(message.complete ? { ended: true } : {}),
    })
    .where('run_id', '=', runId)
    .where('client', '=', client)
    .execute();
  return { lines, mayEnd: leader === undefined };
}

/** Some clients (0.25 does) leave the counting of steps to whoever puts their lines together. */
const withSteps = (file: LineFile, block: { offset: number; lines: readonly string[] }): readonly string[] =>
  file !== 'history'
    ? block.lines
    : block.lines.map((line, i) =>
        line.includes('"_step"') || !line.startsWith('{"') ? line : `{"_step":${block.offset + i},${line.slice(1)}`,
      );

/** Makes it known, or notes that it lives. Returns true when it was not known. */
export async function addWriter(tx: Store, runId: number, client: string, leads: boolean): Promise<boolean> {
  const row = await tx
    .insertInto('run_writer')
    .values({ run_id: runId, client, leads, lines: '{}' })
    .onConflict((c) =>
      c
        .columns(['run_id', 'client'])
        .doUpdateSet({ leads: sql`run_writer.leads or excluded.leads`, seen_at: sql`now()` }),
    )
    .returning(sql<boolean>`xmax = 0`.as('made'))
    .executeTakeFirstOrThrow();
  return row.made;
}
