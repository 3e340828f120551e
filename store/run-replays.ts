import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { LineBases } from '../domain/line-places.js';
import { replayOf, startOf, syncedProcess, zeroCounts, type LineCounts } from '../domain/run-processes.js';
import { isRunOpen } from '../domain/words.js';
import { cutLines } from './history-cut.js';
import { isLate, type LifeStart } from './life-start.js';
import { writeMetricLines } from './metric-lines.js';
import type { Store } from './open.js';
import { writeLines } from './run-lines.js';
import type { LifeOf, Started } from './run-lives.js';
import { resume } from './run-lives.js';

/**
 * `wandb sync` of a process that the run already knows. Clients up to 0.25 say in their first request which process they send again. Later ones
 * resume like a new process, and say it in one of their next requests, when lines may have been put behind all others: these are taken back.
 */

/** By a first request that names the process. */
export async function startReplay(tx: Store, run: LifeOf, index: number, start: LifeStart): Promise<Started> {
  if (await isLate(tx, run.id, start)) return 'late';
  const processes = run.line_base.processes ?? [];
  const replay = replayOf(processes, index, zeroCounts);
  if (replay.to === null) {
    if (isRunOpen(run.state))
      throw new DavitError(
        'conflict',
        'A later process writes this run: sync what a former one logged when it has ended.',
      );
    await setBases(tx, run.id, { ...run.line_base, replay });
    return 'late';
  }
  await resume(tx, run);
  await setBases(tx, run.id, { ...run.line_base, replay });
  return 'on';
}

/** By a later request. `late`: it speaks of a former process, and changes nothing. */
export async function recognize(tx: Store, run: LifeOf, config: string | undefined): Promise<Started> {
  const { processes = [], before, replay } = run.line_base;
  const own = processes.at(-1);
  if (!own || (own.startedAt !== null && replay?.to !== null)) return 'on';
  const startedAt = startOf(config);
  const index =
    startedAt === undefined
      ? syncedProcess(config, processes)
      : processes.findIndex((process) => process.startedAt === startedAt);
  if (replay) return index !== -1 && index < processes.length - 1 ? 'late' : 'on';
  if (startedAt === undefined) return 'on';
  if (index === -1 || before === undefined) {
    const { before: _, ...bases } = run.line_base;
    await setBases(tx, run.id, { ...bases, processes: [...processes.slice(0, -1), { ...own, startedAt }] });
    return 'on';
  }
  const former = processes.slice(0, -1);
  const found = replayOf(former, index, { history: own.history, events: own.events, log: own.log });
  const counts = await takeBack(tx, run, found.from, found.to);
  const { log, events } = before;
  await setBases(tx, run.id, {
    ...(log ? { log } : {}),
    ...(events ? { events } : {}),
    processes: former,
    replay: found,
  });
  await tx
    .updateTable('run')
    .set({
      history_lines: counts.history,
      events_lines: counts.events,
      log_lines: counts.log,
      ...(found.to === null
        ? {
            state: before.state,
            stopped: before.stopped,
            exit_code: before.exitCode,
            ended_at: before.endedAt === null ? null : new Date(before.endedAt),
            config: before.config,
            summary: before.summary,
          }
        : {}),
    })
    .where('id', '=', run.id)
    .execute();
  return found.to === null ? 'late' : 'on';
}

/** Lines that were put behind all others before it was known that they belong before them. Returns how many lines there are now. */
async function takeBack(tx: Store, run: LifeOf, from: LineCounts, to: LineCounts | null): Promise<LineCounts> {
  const counts = { ...from };
  for (const file of ['history', 'events', 'log'] as const) {
    const early = await tx
      .selectFrom('run_line')
      .select('content')
      .where('run_id', '=', run.id)
      .where('file', '=', file)
      .where('line', '>=', from[file])
      .orderBy('line')
      .execute();
    if (early.length === 0) continue;
    if (file === 'log')
      await sql`delete from run_line where run_id = ${run.id} and file = 'log' and line >= ${from.log}`.execute(tx);
    else await cutLines(tx, run.id, from[file], file);
    if (to === null) continue;
    const given = { offset: to[file], lines: early.map(({ content }) => content), below: from[file] };
    if (file === 'log') await writeLines(tx, run.id, file, given);
    else await writeMetricLines(tx, run.id, file, given);
    counts[file] = Math.max(from[file], to[file] + early.length);
  }
  return counts;
}

/** The process that was sent again has said its end. */
export const endReplay = (tx: Store, runId: number, { replay: _, ...bases }: LineBases): Promise<void> =>
  setBases(tx, runId, bases);

async function setBases(tx: Store, runId: number, bases: LineBases): Promise<void> {
  await tx
    .updateTable('run')
    .set({ line_base: JSON.stringify(bases) })
    .where('id', '=', runId)
    .execute();
}
