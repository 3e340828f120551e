import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { newRunId } from '../domain/ids.js';
import type { AttemptEnd, LaunchEnd } from '../domain/outcome.js';
import type { Retry } from '../domain/retry.js';
import { inWords } from '../domain/time-outs.js';
import { hold as holdLaunch } from './line-operations.js';
import { appendEvent } from './launch-events.js';
import { noteLoss } from './losses.js';
import type { Store } from './open.js';

/**
 * Puts a launch whose attempt has ended back in its own place, to be tried again: held until its pause is over, or for a person when it has
 * cost too many agents. The caller holds the line's lock and the row's, under the claim.
 */
export async function tryAgain(
  tx: Store,
  row: { id: string; epoch: number; agent_id: string | null; attempt: number; run_name: string },
  retry: Retry,
  what: { decided: LaunchEnd; end: AttemptEnd },
): Promise<void> {
  const { cause, n, of, waitMs } = retry;
  const { decided } = what;
  const message = decided.failure?.message ?? 'The attempt failed.';
  const parked = await parkedFor(tx, row.id, lossIn(what));
  const run = retry.newRun ? newRunId(randomBytes) : undefined;
  const count = `${cause}, ${n} of ${of}`;
  const hold =
    parked === undefined && waitMs > 0
      ? { reason: `Waits ${inWords(waitMs)} before it is tried again (${count}). ${message}`, waitMs }
      : undefined;

  const { rows } = await sql<{ release_at: Date | null }>`update launch set
      retries = retries || jsonb_build_object(${cause}::text, ${n}::int),
      attempt = attempt + ${retry.newAttempt ? 1 : 0}::int,
      run_name = coalesce(${run ?? null}::text, run_name),
      request = case when ${run ?? null}::text is null then request else jsonb_set(request, '{runName}', to_jsonb(${run ?? null}::text)) end,
      held = ${hold !== undefined}, hold = ${hold ? 'back-off' : null}, held_by = ${hold ? 'davit' : null}, hold_reason = ${hold?.reason ?? null},
      release_at = clock_timestamp() + make_interval(secs => ${hold?.waitMs ?? null}::bigint / 1000.0),
      cancel_requested_at = null, cancelled_by = null, stop_cause = null, failure = null, exit_code = null
    where id = ${row.id} returning release_at`.execute(tx);
  await appendEvent(tx, {
    launchId: row.id,
    writer: 'workflow',
    n: row.epoch,
    type: 'retry',
    data: {
      cause,
      n,
      of,
      attempt: row.attempt,
      code: decided.failure?.code,
      message,
      exitCode: decided.exitCode,
      from: rows[0]?.release_at?.toISOString(),
      runBefore: row.run_name,
      run,
    },
  });
  await sql`select line_back(${row.id}, ${`to be tried again (${count})`})`.execute(tx);
  if (parked !== undefined) await holdLaunch(tx, row.id, { by: 'davit', cause: 'parked', reason: parked });
}

/** What the attempt's end says about its agent; undefined: nothing. */
function lossIn({ decided, end }: { decided: LaunchEnd; end: AttemptEnd }): string | undefined {
  if (end.kind === 'ended' && end.agentLost !== undefined) return `${end.agentLost}, its job ended after it`;
  return decided.failure?.code === 'job-lost' ? 'its job was lost' : undefined;
}

async function parkedFor(tx: Store, launchId: string, seen: string | undefined): Promise<string | undefined> {
  if (seen === undefined) return undefined;
  const suspect = await tx
    .selectFrom('launch')
    .select(['id', 'agent_id', 'lost_agents', 'losses'])
    .where('id', '=', launchId)
    .executeTakeFirstOrThrow();
  const { parked } = await noteLoss(tx, suspect, seen);
  await tx
    .updateTable('launch')
    .set((eb) => ({ lost_agents: eb('lost_agents', '+', 1) }))
    .where('id', '=', launchId)
    .execute();
  return parked;
}
