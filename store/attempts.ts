import { sql } from 'kysely';
import type { RecordedEnd } from '../domain/outcome.js';
import { endOf, type AttemptEnd } from '../domain/outcome.js';
import { nameAfter, retryOf } from '../domain/retry.js';
import { isTimeOutCode } from '../domain/time-outs.js';
import { isRunOpen, isTerminal, type LaunchState, type RunState } from '../domain/words.js';
import { noteEndOnAgent, noteRunningOnAgent } from './agent-trouble.js';
import { revokeLaunchKeys } from './keys.js';
import { appendEvent } from './launch-events.js';
import { giveBack, lockLineOf } from './line.js';
import { hold } from './line-operations.js';
import { noteLoss } from './losses.js';
import type { Store } from './open.js';
import { tryAgain } from './try-again.js';

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
    if (forward && p.state === 'running') await noteRunningOnAgent(tx, p.launchId);
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

/**
 * Writes how an attempt ended, once: the launch ends with it, or goes back in line to be tried again. Repeated, it answers what was written.
 * Not recorded: the launch goes on, in line or under another claim.
 */
export async function recordEnd(db: Store, launchId: string, claim: string, end: AttemptEnd): Promise<RecordedEnd> {
  const write = (lineLocked: boolean) =>
    db.transaction().execute((tx) => writeEnd(tx, { launchId, claim, end, lineLocked }));
  // Whoever writes a waiting row takes the line's lock before the row's. Most ends are final and need not stand behind the claims for it.
  return (await write(false)) ?? (await write(true)) ?? { recorded: false };
}

/** Undefined: nothing was written, it needs the line's lock. */
async function writeEnd(
  tx: Store,
  ask: { launchId: string; claim: string; end: AttemptEnd; lineLocked: boolean },
): Promise<RecordedEnd | undefined> {
  const { launchId, claim, end, lineLocked } = ask;
  if (lineLocked) await lockLineOf(tx, launchId);
  const row = await tx
    .selectFrom('launch')
    .select([
      'id',
      'state',
      'claim',
      'epoch',
      'agent_id',
      'attempt',
      'claimed_at',
      'cancel_requested_at',
      'stop_cause',
      'require_run',
      'project_id',
      'run_name',
      'exit_code',
      'failure',
      'retry',
      'retries',
    ])
    .where('id', '=', launchId)
    .forUpdate()
    .executeTakeFirst();
  if (!row || row.claim !== claim) return { recorded: false };
  if (isTerminal(row.state)) return recordedOf(row);
  if (row.state === 'queued') return { recorded: false };

  const run = await tx
    .selectFrom('run')
    .select(['id', 'state', 'heartbeat_at'])
    .where('project_id', '=', row.project_id)
    .where('name', '=', row.run_name)
    .forUpdate()
    .executeTakeFirst();
  const timedOut = isTimeOutCode(row.stop_cause) ? row.stop_cause : undefined;
  const decided = endOf({
    end,
    cancelRequested: row.cancel_requested_at !== null,
    timedOut: timedOut && (row.failure ?? undefined),
    requireRun: row.require_run,
    run,
    saidPreempting: run !== undefined && saysPreempting(run, row.claimed_at),
  });
  const retry = retryOf({
    policy: row.retry,
    retries: row.retries,
    end: decided,
    name: nameAfter(end),
    // A start that took too long is the one stop that a retry may follow.
    stopped: row.cancel_requested_at !== null && timedOut !== 'start-timeout',
  });
  if (retry && !lineLocked) return undefined;
  await noteEndOnAgent(tx, launchId, end, decided.failure);

  if (run && isRunOpen(run.state) && decided.runState) await closeRun(tx, run.id, decided.runState, decided.exitCode);
  await revokeLaunchKeys(tx, launchId);
  if (retry) {
    await tryAgain(tx, row, retry, { decided, end });
    return { recorded: false, again: true };
  }
  const note = end.kind === 'ended' ? end.status.note : undefined;
  await sql`update launch set state = ${decided.state}, exit_code = ${decided.exitCode ?? null},
    failure = ${decided.failure ? JSON.stringify(decided.failure) : null}::jsonb, reason = ${note ?? null}, ended_at = clock_timestamp(),
    v = next_v(v), due = null where id = ${launchId}`.execute(tx);
  await appendEvent(tx, {
    launchId,
    writer: 'workflow',
    n: row.epoch,
    type: decided.state,
    data: {
      ...(decided.exitCode === undefined ? {} : { exitCode: decided.exitCode }),
      ...(decided.failure ? { code: decided.failure.code, message: decided.failure.message } : {}),
      ...(note === undefined ? {} : { note }),
    },
  });
  return {
    recorded: true,
    state: decided.state,
    exitCode: decided.exitCode ?? null,
    failure: decided.failure?.code ?? null,
  };
}

/** Said under this claim: what the run of an earlier attempt was in the end stays written until the next one writes to it. */
const saysPreempting = (run: { state: RunState; heartbeat_at: Date }, claimedAt: Date | null): boolean =>
  (run.state === 'preempting' || run.state === 'preempted') && claimedAt !== null && run.heartbeat_at >= claimedAt;

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

export interface AfterLoss {
  launchId: string;
  claim: string;
  agentLost: boolean;
  /** It says nothing against the launch: the agent left in order, or never began. */
  blameless?: boolean | undefined;
  nextAttempt: boolean;
  reason: string;
}

/** Back in line after a loss; parked there when it has cost too many agents; ended when it was being stopped. */
export async function giveBackAfterLoss(db: Store, g: AfterLoss): Promise<'returned' | 'ended' | 'gone'> {
  const { launchId, claim, nextAttempt, reason } = g;
  const agentLost = g.agentLost && g.blameless !== true;
  const isStopped = await db.transaction().execute(async (tx) => {
    await lockLineOf(tx, launchId);
    const row = await tx
      .selectFrom('launch')
      .select(['id', 'agent_id', 'lost_agents', 'losses', 'cancel_requested_at'])
      .where('id', '=', launchId)
      .where('claim', '=', claim)
      .forUpdate()
      .executeTakeFirst();
    if (row?.cancel_requested_at) return true;
    const loss = row && agentLost ? await noteLoss(tx, row, reason) : undefined;
    await giveBack(tx, { launchId, claim, agentLost, nextAttempt, reason, unconfirmedOnly: false });
    if (loss?.parked !== undefined) await hold(tx, launchId, { by: 'davit', cause: 'parked', reason: loss.parked });
    return false;
  });
  if (isStopped) {
    // There is no job: whoever asked for the stop has it, and what it is called is decided where all ends are.
    const end = await recordEnd(db, launchId, claim, { kind: 'stopped' });
    if (end.recorded) return 'ended';
  }
  // Repeated after its first answer was lost, or cancelled meanwhile: what counts is where the launch is now.
  const now = await db.selectFrom('launch').select(['state', 'claim']).where('id', '=', launchId).executeTakeFirst();
  if (!now) return 'gone';
  if (isTerminal(now.state)) return 'ended';
  return now.state === 'queued' ? 'returned' : 'gone';
}
