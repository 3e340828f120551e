import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { WorkflowNotFoundError } from '@temporalio/client';
import { failure } from '../../domain/errors.js';
import { sweepArtifacts } from '../../store/artifact-sweep.js';
import { sweepHistoryExports } from '../../store/history-exports.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import { dueForRelease, endWaiting, expired, release } from '../../store/line-operations.js';
import { dropOldEstimates, settleEstimates } from '../../store/estimates.js';
import { trimEnds } from '../../store/launch-ends.js';
import { foldCounters, giveBackUnconfirmed } from '../../store/line.js';
import { isStoreUnavailable, type Store } from '../../store/open.js';
import {
  forgetTold,
  leaseDue,
  tellAnew,
  tellEnded,
  toldLaunches,
  topUpWindow,
  waitingLines,
} from '../../store/outbox.js';
import { markCrashedRuns } from '../../store/run-life.js';
import { finishSweeps } from '../../store/sweep-heartbeat.js';
import { launchIdOf, lineWorkflowId, workflowTypes } from '../../workflows/ids.js';
import { keyOf, type LineNudger, type LineRef } from './nudge.js';
import { tell } from './tell.js';
import { endOverdue } from './time-outs.js';
import type { LazyTemporal } from './temporal-client.js';
import type { TemporalHealth } from './temporal-health.js';

/**
 * What heals by itself. Every sweep may run in several API processes at once and may be cut off anywhere: rows are leased, statements are
 * compare-and-set, notes are versioned.
 */
export interface SweepDeps {
  db: Store;
  temporal: LazyTemporal;
  nudger: LineNudger;
  windowSize: number;
  health: TemporalHealth;
  /** The launch's row changed in a way its workflow must know. */
  told(launchId: string): void;
  /** Says of each run of a sweep whether it could do its work. */
  observe?: ((sweep: string, works: boolean) => void) | undefined;
  /** Absent: nobody here removes what artifacts leave behind. */
  blobs?: Blobs | undefined;
  /** Goes on with work on many launches. */
  runBulks(): Promise<void>;
  log: Logger;
}

/** Longer than three heartbeats of an agent. */
export const agentTtlMs = 15_000;
/** The agent itself gives an unconfirmed claim back after 12 s. */
const unconfirmedMs = 20_000;
/** A line with somebody waiting and a free agent moves within milliseconds; this is a note that was lost. */
const quietLineMs = 2_000;
const longestNudgePauseMs = 60_000;
const tellsAtOnce = 32;

export function createSweeps(deps: SweepDeps) {
  const { db, temporal, nudger, windowSize, told, log } = deps;
  const nudgedAt = new Map<string, { atMs: number; pauseMs: number; quietMs: number }>();
  let lastChecked = '';

  /** Tells every due row. Temporal being away ends it early: what is left stays due. */
  async function tellDue(): Promise<void> {
    for (;;) {
      await temporal.get();
      const rows = await leaseDue(db, tellsAtOnce, 3_000);
      const results = await Promise.allSettled(rows.map((row) => tell(db, temporal, row)));
      for (const row of rows) if (row.state === 'queued') nudger.nudge(lineOf(row));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      if (rows.length < tellsAtOnce) return;
    }
  }

  async function healLines(): Promise<void> {
    const nowMs = Date.now();
    const lines = await waitingLines(db, agentTtlMs);
    const keys = new Set(lines.map(keyOf));
    for (const key of [...nudgedAt.keys()]) if (!keys.has(key)) nudgedAt.delete(key);
    for (const queueId of new Set(lines.map((line) => line.queueId))) await topUpWindow(db, queueId, windowSize);
    for (const line of lines) {
      const key = keyOf(line);
      const before = nudgedAt.get(key);
      // It moved since the last nudge: what stands still now is a new case.
      if (before && line.quietMs < before.quietMs) nudgedAt.delete(key);
      const last = nudgedAt.get(key);
      if (!line.agentsAlive || line.quietMs < quietLineMs || (last && nowMs < last.atMs + last.pauseMs)) continue;
      nudgedAt.set(key, {
        atMs: nowMs,
        pauseMs: Math.min(longestNudgePauseMs, (last?.pauseMs ?? quietLineMs / 2) * 2),
        quietMs: line.quietMs,
      });
      nudger.nudge(line);
    }
  }

  async function healClaims(): Promise<void> {
    await giveBackUnconfirmed(db, unconfirmedMs);
  }

  /** Waiting launches whose hold or whose patience is over. */
  async function timers(): Promise<void> {
    const moved = new Set<number>();
    for (const { id, queue_id } of await dueForRelease(db, 500)) {
      await release(db, id, 'davit');
      moved.add(queue_id);
    }
    for (const { id, expires_at, created_at } of await expired(db, 500)) {
      const seconds = Math.round(((expires_at ?? created_at).getTime() - created_at.getTime()) / 1000);
      const sentence = `It waited for ${seconds} s, which is as long as it may.`;
      if (await endWaiting(db, id, 'davit', failure('expired', 'claim', sentence))) told(id);
    }
    for (const queueId of moved) await nudgeQueue(queueId);
  }

  /** Every line of the queue in which somebody could be taken. */
  async function nudgeQueue(queueId: number): Promise<void> {
    for (const line of await waitingLines(db, agentTtlMs, queueId)) nudger.nudge(line);
  }

  /** Did Temporal lose its data? A namespace made anew has another id. */
  async function checkNamespace(): Promise<void> {
    const { namespaceInfo } = await deps.health.watch(async () =>
      (await temporal.get()).workflowService.describeNamespace({ namespace: temporal.target.namespace }),
    );
    const id = namespaceInfo?.id;
    if (!id) return;
    const key = 'temporal-namespace-id';
    const known = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst();
    if (known?.value === id) return;
    if (known) {
      const forgotten = await forgetTold(db);
      log.warn({ forgotten }, 'Temporal has new data: every open launch is told again, in order');
      nudgedAt.clear();
    }
    // After the rows: dying in between repeats them, which changes nothing.
    await db
      .insertInto('setting')
      .values({ key, value: id })
      .onConflict((c) => c.column('key').doUpdateSet({ value: id }))
      .execute();
  }

  /** Slowly goes over all launches and lines that should have a workflow and looks whether they do (terminated by an operator, restored data). */
  async function checkWorkflows(): Promise<void> {
    const client = await temporal.get();
    const isOpen = async (workflowId: string): Promise<boolean> => {
      try {
        return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    };
    const some = await toldLaunches(db, lastChecked, 100);
    lastChecked = some.length < 100 ? '' : (some.at(-1)?.id ?? '');
    for (const { id, workflowId } of some) {
      if (await isOpen(workflowId)) continue;
      log.warn({ launch: id }, 'an open launch has no workflow: it is told again');
      await tellAnew(db, id);
    }
    for (const line of await waitingLines(db, agentTtlMs)) {
      if (line.quietMs > longestNudgePauseMs && !(await isOpen(lineWorkflowId(line.entity, line.queue, line.class))))
        nudger.nudge(line);
    }
  }

  let openPage: Uint8Array | undefined;

  /** The other way round, a page at a time: a workflow that is still open although its launch has ended (a note that came after the end). */
  async function checkOpenWorkflows(): Promise<void> {
    const client = await temporal.get();
    const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
      namespace: temporal.target.namespace,
      query: `WorkflowType = '${workflowTypes.launch}' AND ExecutionStatus = 'Running'`,
      pageSize: 1_000,
      ...(openPage === undefined ? {} : { nextPageToken: openPage }),
    });
    openPage = nextPageToken?.length ? nextPageToken : undefined;
    const ids = executions.flatMap(({ execution }) => launchIdOf(execution?.workflowId ?? '') ?? []);
    const ended = ids.length === 0 ? [] : await tellEnded(db, ids);
    if (ended.length > 0)
      log.warn({ launches: ended }, 'workflows of launches that have ended were open: they are told');
  }

  async function tidy(): Promise<void> {
    await dropOldEstimates(db);
    await db
      .deleteFrom('ticket')
      .where('created_at', '<', new Date(Date.now() - 24 * 3600_000))
      .execute();
    await db
      .deleteFrom('idempotency')
      .where('created_at', '<', new Date(Date.now() - 7 * 24 * 3600_000))
      .execute();
  }

  /** As long as there is something: each round takes a bounded number. */
  async function tidyBlobs(): Promise<void> {
    const { blobs } = deps;
    if (!blobs) return;
    await blobs.removeLeftovers?.();
    for (let more = true; more;) {
      const swept = await sweepArtifacts({ db, blobs });
      more = Object.values(swept).some((count) => count > 0);
      if (more) log.info(swept, 'removed what artifacts left behind');
    }
    while ((await sweepHistoryExports({ db, blobs })) > 0);
  }

  const sweeps = [
    { name: 'namespace', everyMs: 10_000, run: checkNamespace },
    { name: 'outbox', everyMs: 1_000, run: tellDue },
    { name: 'claims', everyMs: 1_000, run: healClaims },
    { name: 'lines', everyMs: 1_000, run: healLines },
    { name: 'bulks', everyMs: 1_000, run: deps.runBulks },
    { name: 'timers', everyMs: 1_000, run: timers },
    { name: 'time-outs', everyMs: 1_000, run: () => endOverdue(db, told) },
    { name: 'counters', everyMs: 1_000, run: async () => void (await foldCounters(db)) },
    { name: 'workflows', everyMs: 30_000, run: checkWorkflows },
    { name: 'open-workflows', everyMs: 30_000, run: checkOpenWorkflows },
    { name: 'ends', everyMs: 600_000, run: () => trimEnds(db) },
    { name: 'estimates', everyMs: 10_000, run: () => settleEstimates(db) },
    { name: 'artifacts', everyMs: 60_000, run: tidyBlobs },
    { name: 'silent-runs', everyMs: 5_000, run: async () => void (await markCrashedRuns(db)) },
    { name: 'parameter-sweeps', everyMs: 5_000, run: async () => void (await finishSweeps(db)) },
    { name: 'tidy', everyMs: 3600_000, run: tidy },
  ];
  return { nudgeQueue, start: (): (() => Promise<void>) => startSweeps(sweeps, log, deps.observe) };
}

const lineOf = (row: LineRef): LineRef => row;

/** Each sweep runs at once and then again and again, never twice at a time. Failures are said when they begin and when they end. */
function startSweeps(
  sweeps: { name: string; everyMs: number; run(): Promise<void> }[],
  log: Logger,
  observe: SweepDeps['observe'],
): () => Promise<void> {
  const stop = new AbortController();
  // Each sweep listens to it while it waits.
  setMaxListeners(0, stop.signal);
  const loops = sweeps.map(async ({ name, everyMs, run }) => {
    let failing = false;
    while (!stop.signal.aborted) {
      try {
        await run();
        if (failing) log.info({ sweep: name }, 'works again');
        failing = false;
        observe?.(name, true);
      } catch (error) {
        if (!failing)
          log.warn(
            { sweep: name, error: String(error), database: isStoreUnavailable(error) },
            'cannot work now; goes on trying',
          );
        failing = true;
        observe?.(name, false);
      }
      await setTimeout(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  });
  return async () => {
    stop.abort();
    await Promise.all(loops);
  };
}
