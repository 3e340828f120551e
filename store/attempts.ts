import { sql } from 'kysely';
import type { RecordedEnd } from '../domain/outcome.js';
import { maxLostAgents } from '../domain/launch-flow.js';
import { failure } from '../domain/errors.js';
import { endOf, type AttemptEnd } from '../domain/outcome.js';
import { isRunOpen, isTerminal, type LaunchState, type RunState } from '../domain/words.js';
import { revokeLaunchKeys } from './keys.js';
import { appendEvent } from './launch-events.js';
import { giveBack, type GiveBack } from './line.js';
import type { Store } from './open.js';

/** What happens to a launch between its claim and its end. Everything here is fenced by the claim's id. */

/** States as an agent may report them, in the only order in which they can follow each other. */
const reportable = ['preparing', 'submitting', 'starting', 'running'] as const;
export type ReportedState = (typeof reportable)[number];

export interface Progress {
  launchId: string;
  claim: string;
  /** The agent's own number of this report, from 1: a repeated report changes nothing. */
  n: number;
  state?: ReportedState | undefined;
  reason?: string | undefined;
  node?: string | undefined;
  plan?: object | undefined;
  at?: Date | undefined;
}

/** False: the claim was lost, or the launch is being stopped while the report wanted to go on to submit: the caller is fenced. */
export async function recordProgress(db: Store, p: Progress): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('launch')
      .select(['id', 'state', 'cancel_requested_at', 'started_at'])
      .where('id', '=', p.launchId)
      .where('claim', '=', p.claim)
      .forUpdate()
      .executeTakeFirst();
    if (!row || isTerminal(row.state) || row.state === 'queued') return false;
    if (p.state === 'submitting' && row.cancel_requested_at) return false;
    const forward = p.state !== undefined && place(p.state) > place(row.state) && row.state !== 'stopping';
    await tx
      .updateTable('launch')
      .set({
        ...(forward ? { state: p.state } : {}),
        ...(p.state === 'submitting' ? { submitting: true } : {}),
        ...(p.state === 'running' && !row.started_at ? { started_at: p.at ?? sql<Date>`clock_timestamp()` } : {}),
        ...(p.reason === undefined && !forward ? {} : { reason: p.reason ?? null }),
        ...(p.node === undefined ? {} : { node: p.node }),
        ...(p.plan === undefined ? {} : { plan: JSON.stringify(p.plan) }),
      })
      .where('id', '=', p.launchId)
      .execute();
    await appendEvent(tx, {
      launchId: p.launchId,
      writer: `agent:${p.claim}`,
      n: p.n,
      type: p.state ?? 'note',
      data: {
        ...(p.reason === undefined ? {} : { reason: p.reason }),
        ...(p.node === undefined ? {} : { node: p.node }),
      },
      ...(p.at === undefined ? {} : { at: p.at }),
    });
    return true;
  });
}

const place = (state: LaunchState): number => (reportable as readonly string[]).indexOf(state);

/** Writes how a launch ended, once: repeated, it answers what was written. Not recorded: another claim holds the launch now. */
export async function recordEnd(db: Store, launchId: string, claim: string, end: AttemptEnd): Promise<RecordedEnd> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('launch')
      .select([
        'state',
        'claim',
        'epoch',
        'cancel_requested_at',
        'require_run',
        'project_id',
        'run_name',
        'exit_code',
        'failure',
      ])
      .where('id', '=', launchId)
      .forUpdate()
      .executeTakeFirst();
    if (!row || row.claim !== claim) return { recorded: false };
    if (isTerminal(row.state)) return recordedOf(row);
    if (row.state === 'queued') return { recorded: false };

    const run = await tx
      .selectFrom('run')
      .select(['id', 'state'])
      .where('project_id', '=', row.project_id)
      .where('name', '=', row.run_name)
      .forUpdate()
      .executeTakeFirst();
    const decided = endOf({ end, cancelRequested: row.cancel_requested_at !== null, requireRun: row.require_run, run });
    await sql`update launch set state = ${decided.state}, exit_code = ${decided.exitCode ?? null},
      failure = ${decided.failure ? JSON.stringify(decided.failure) : null}::jsonb, reason = null, ended_at = clock_timestamp(),
      v = next_v(v), due = null where id = ${launchId}`.execute(tx);
    if (run && isRunOpen(run.state) && decided.runState) await closeRun(tx, run.id, decided.runState, decided.exitCode);
    await revokeLaunchKeys(tx, launchId);
    await appendEvent(tx, {
      launchId,
      writer: 'workflow',
      n: row.epoch,
      type: decided.state,
      data: {
        ...(decided.exitCode === undefined ? {} : { exitCode: decided.exitCode }),
        ...(decided.failure ? { code: decided.failure.code, message: decided.failure.message } : {}),
      },
    });
    return {
      recorded: true,
      state: decided.state,
      exitCode: decided.exitCode ?? null,
      failure: decided.failure?.code ?? null,
    };
  });
}

/** The process is gone, so nobody else will say that the run has ended. */
async function closeRun(tx: Store, runId: number, state: RunState, exitCode: number | undefined): Promise<void> {
  await tx
    .updateTable('run')
    .set({ state, ended_at: new Date(), ...(exitCode === undefined ? {} : { exit_code: exitCode }) })
    .where('id', '=', runId)
    .execute();
}

export async function readEnd(db: Store, launchId: string): Promise<RecordedEnd> {
  const row = await db
    .selectFrom('launch')
    .select(['state', 'exit_code', 'failure'])
    .where('id', '=', launchId)
    .executeTakeFirst();
  return row && isTerminal(row.state) ? recordedOf(row) : { recorded: false };
}

const recordedOf = (row: {
  state: LaunchState;
  exit_code: number | null;
  failure: { code: string } | null;
}): RecordedEnd => ({
  recorded: true,
  state: row.state,
  exitCode: row.exit_code,
  failure: row.failure?.code ?? null,
});

/** Back in line after a loss, or ended when this launch has cost too many agents or was cancelled meanwhile. */
export async function giveBackAfterLoss(
  db: Store,
  g: Omit<GiveBack, 'unconfirmedOnly'>,
): Promise<'returned' | 'ended' | 'gone'> {
  const row = await db
    .selectFrom('launch')
    .select(['lost_agents', 'claim'])
    .where('id', '=', g.launchId)
    .executeTakeFirst();
  if (row?.claim === g.claim && g.agentLost && row.lost_agents + 1 >= maxLostAgents) {
    const message = `${maxLostAgents} agents were lost while they held this launch; the last: ${g.reason}.`;
    const end = await recordEnd(db, g.launchId, g.claim, {
      kind: 'failed',
      failure: failure('too-many-lost-agents', 'claim', message),
    });
    return end.recorded ? 'ended' : 'gone';
  }
  await giveBack(db, { ...g, unconfirmedOnly: false });
  // Repeated after its first answer was lost, or cancelled meanwhile: what counts is where the launch is now.
  const now = await db.selectFrom('launch').select(['state', 'claim']).where('id', '=', g.launchId).executeTakeFirst();
  if (!now) return 'gone';
  if (isTerminal(now.state)) return 'ended';
  return now.state === 'queued' ? 'returned' : 'gone';
}
