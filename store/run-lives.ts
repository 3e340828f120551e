import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { LineBases } from '../domain/line-places.js';
import { withProcess, zeroCounts } from '../domain/run-processes.js';
import { isRunOpen, type RunState } from '../domain/words.js';
import { isLate, type LifeStart } from './life-start.js';
import type { Store } from './open.js';
import { forgetHistory } from './run-branch.js';
import { addWriter } from './run-writers.js';

/**
 * The lives of a run. A process that calls `wandb.init` with the id of a run that exists begins it anew, unless it resumes: nothing that a former
 * process logged may mix with what this one will. docs/decisions/0009-lives-of-a-run.md says how a new life is told from a repeated request.
 */

/** What is known of the run that it begins; its row is locked. */
export interface LifeOf {
  id: number;
  state: RunState;
  life: number;
  spoken: boolean;
  history_lines: number;
  log_lines: number;
  events_lines: number;
  line_base: LineBases;
  stopped: boolean;
  exit_code: number | null;
  ended_at: Date | null;
  config: string;
  summary: string;
}

/** `late`: the request means a life that has been, and may change nothing; `empty`: the run begins at nothing; `on`: it has what it had. */
export type Started = 'late' | 'empty' | 'on';

/**
 * Begins or resumes. A repeated first request changes nothing: until its answer has come the client logs nothing, so of a life that has not
 * spoken there is nothing to forget.
 */
export async function startLife(tx: Store, run: LifeOf, start: LifeStart, isFork: boolean): Promise<Started> {
  if (await isLate(tx, run.id, start)) return 'late';
  if (start.isAbandoned())
    throw new DavitError('store-unavailable', 'The request was given up before the run could be begun.');
  if (start.resumed && run.life > 0) {
    await resume(tx, run);
    return 'on';
  }
  // A fork that has not spoken has the lines that it was made with; who is no fork does not want them.
  const anew = run.life > 0 && (run.spoken || (!isFork && run.history_lines > 0));
  if (anew) await forget(tx, run.id);
  await tx
    .updateTable('run')
    .set({
      life: run.life > 0 && !anew ? run.life : run.life + 1,
      life_at: sql`clock_timestamp()`,
      ...opened,
      ...(anew || run.life === 0 ? { line_base: JSON.stringify({ processes: withProcess([], zeroCounts) }) } : {}),
    })
    .where('id', '=', run.id)
    .execute();
  return anew || run.life === 0 ? 'empty' : 'on';
}

const opened = {
  state: 'running' as const,
  stopped: false,
  exit_code: null,
  ended_at: null,
  spoken: false,
  heartbeat_at: sql<Date>`now()`,
};

/** Some clients count console and events from 0 again: domain/line-places.ts. */
export async function resume(tx: Store, run: LifeOf): Promise<void> {
  const counts = { history: run.history_lines, events: run.events_lines, log: run.log_lines };
  const { log, events, processes = [], inherits } = run.line_base;
  const base: LineBases = {
    ...(inherits ? { inherits } : {}),
    log: { base: run.log_lines, shift: null },
    events: { base: run.events_lines, shift: null },
    processes: withProcess(processes, counts),
    before: {
      ...(log ? { log } : {}),
      ...(events ? { events } : {}),
      state: run.state,
      stopped: run.stopped,
      exitCode: run.exit_code,
      endedAt: run.ended_at?.toISOString() ?? null,
      config: run.config,
      summary: run.summary,
    },
  };
  await tx
    .updateTable('run')
    .set({ ...opened, spoken: run.spoken, life_at: sql`clock_timestamp()`, line_base: JSON.stringify(base) })
    .where('id', '=', run.id)
    .execute();
}

/** What every client writes of its process beside the stream: of a process that is killed before its own are uploaded, the former ones would stay. */
const processFiles = [
  'output.log',
  'wandb-summary.json',
  'wandb-metadata.json',
  'config.yaml',
  'requirements.txt',
  'conda-environment.yaml',
  'diff.patch',
];

/** All that a process logs. What people and scripts made of the run stays: its name, notes, saved files, artifacts. */
async function forget(tx: Store, runId: number): Promise<void> {
  await tx.deleteFrom('run_file').where('run_id', '=', runId).where('name', 'in', processFiles).execute();
  await forgetHistory(tx, runId);
  await tx.deleteFrom('run_line').where('run_id', '=', runId).execute();
  await tx.deleteFrom('run_writer').where('run_id', '=', runId).execute();
  await tx
    .updateTable('run')
    .set({ summary: '{}', history_lines: 0, events_lines: 0, log_lines: 0, line_base: '{}' })
    .where('id', '=', runId)
    .execute();
}

/**
 * One more of several processes that write this run together: it joins what is there. A run that had ended goes on: its processes were started
 * again under its id.
 */
export async function joinLife(tx: Store, run: LifeOf, client: string, start: LifeStart): Promise<Started> {
  const isNew = await addWriter(tx, run.id, client, false);
  if (!isNew || isRunOpen(run.state)) return 'on';
  if (await isLate(tx, run.id, start)) return 'late';
  await tx
    .updateTable('run')
    .set({ ...opened, spoken: run.spoken })
    .where('id', '=', run.id)
    .execute();
  return 'on';
}
