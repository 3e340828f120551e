import type { Logger } from 'pino';
import type { JobPlan, PlanRequest } from '../domain/job-plan.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import type { LaunchState, TargetName } from '../domain/words.js';
import type { Blobs } from '../store/blobs/blobs.js';
import type { Keyring } from '../store/keyring.js';
import type { Store } from '../store/open.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { ApiEvents } from './events.js';
import type { GitSettings } from './git.js';
import type { ApiMetrics } from './metrics/index.js';

/** What changes launches. Reading them needs the store only. */
export interface Dispatch {
  /** Accepts a launch: it is stored when this returns. Throws `DavitError` when the request cannot be accepted. */
  enqueue(
    actorName: string,
    request: LaunchRequest,
    options: {
      idempotencyKey?: string | undefined;
      defaultEntity: string;
      relaunchOf?: string | undefined;
      /** The bulk that relaunches it. */
      bulk?: string | undefined;
      /** The trace that the launch is to be a part of. */
      traceparent?: string | undefined;
      /** The commit that the request's branch or tag was. */
      git?: { ref: string; commit: string } | undefined;
    },
  ): Promise<{ launchId: string; created: boolean; warnings: string[] }>;
  /** Returns the state after the cancel; a launch that has ended keeps its end. */
  cancel(launchId: string, actorName: string): Promise<LaunchState>;
  /** The launch's row changed in a way its workflow must know. Never waits, never fails: the row is due. */
  told(launchId: string): void;
  /** Somebody may be claimable in this line. Never waits, never fails: a sweep makes up for it. */
  nudge(line: { queueId: number; entity: string; queue: string; class?: string }): void;
  /** The same for every line of the queue: something that kept its launches from being taken has ended. */
  nudgeQueue(queueId: number): void;
  /** Present: Temporal does not answer, since then. */
  temporalAway(): { since: Date; message: string } | undefined;
  /** A bulk has begun. Never waits, never fails: a sweep makes up for it. */
  bulkStarted(): void;
}

/** Everything a request handler may use. Built once by the entry point. */
export interface ApiDeps {
  db: Store;
  blobs: Blobs;
  dispatch: Dispatch;
  events: ApiEvents;
  log: Logger;
  /** Where clients reach this API: scheme, host, port, no trailing slash. */
  publicUrl: string;
  version: string;
  /** Where agents reach Temporal, unless their own configuration says otherwise. */
  temporal: { address: string; namespace: string };
  /** The targets this version can run jobs on. */
  targets: readonly TargetName[];
  /** What a target would be asked to run: the target's own plan. Handed in, because the API knows no targets. */
  plan(target: TargetName, request: PlanRequest): JobPlan;
  limits: ApiLimits;
  /** What secrets are stored under. Absent: there are none. */
  keyring?: Keyring | undefined;
  /** How repositories are asked which commit a branch is. */
  git: GitSettings;
  /** Default: made with the app. */
  metrics?: ApiMetrics;
  /** Opens GET /metrics and nothing else. */
  metricsToken?: string | undefined;
  /** Present: traces are sent. */
  tracing?: Tracing | undefined;
}

export interface ApiLimits {
  /** Requests per second and key; undefined = no limit (the default on loopback). */
  requestsPerSecond?: number;
  jsonBodyBytes: number;
  /** A code archive as uploaded. */
  codeArchiveBytes: number;
  /** The same unpacked. */
  codeBytes: number;
  codeFiles: number;
}

export const defaultLimits: ApiLimits = {
  jsonBodyBytes: 4 * 1024 * 1024,
  codeArchiveBytes: 512 * 1024 * 1024,
  codeBytes: 2 * 1024 * 1024 * 1024,
  codeFiles: 50_000,
};
