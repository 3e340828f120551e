import type { ImageFacts } from '../../builders/builder.js';
import type { ImageInUse } from '../../domain/image-in-use.js';
import type { JobPlan } from '../../domain/job-plan.js';
import type { LogStream } from '../../domain/words.js';
import type { Work } from './lease.js';

/** What the agent asks of the API. Implemented over the generated client (workers/agent-client.ts). */
export interface AgentApi {
  claim(request: ClaimCall): Promise<ClaimReply>;
  /** Undefined: the claim was lost. */
  confirm(launchId: string, claim: string): Promise<Work | undefined>;
  /** False: the claim is confirmed, and still the launch's own. Undefined: the claim was lost. */
  giveBack(launchId: string, claim: string, reason: string): Promise<boolean | undefined>;
  /** False: the claim was lost, or the launch is being stopped and may not go on to submit. */
  progress(launchId: string, report: ProgressReport): Promise<boolean>;
  /** Appends to a stream; answers its length, where the next piece belongs. Undefined: the claim was lost. */
  appendLog(launchId: string, piece: LogAppend): Promise<number | undefined>;
  /** Variables for the job that are secret: those that hold named secrets, and the run-scoped key. */
  secrets(launchId: string, claim: string): Promise<Record<string, string>>;
  /** Named secrets for preparing the job. */
  namedSecrets(launchId: string, claim: string, names: readonly string[]): Promise<Record<string, string>>;
  /** Values that the log of the launch must not show, for who did not start its job. */
  masks(launchId: string, claim: string): Promise<string[]>;
  /** Takes, renews or gives back the right to build an image; false: another launch builds it. */
  buildLock(launchId: string, claim: string, key: string, action: 'take' | 'release'): Promise<boolean>;
  /** What the launch runs, and what is known of the image. */
  reportImage(launchId: string, claim: string, image: ImageInUse, facts?: ImageFacts): Promise<void>;
  /** Downloads the job's code as a gzipped tar. */
  fetchCode(launchId: string, claim: string, toFile: string, signal: AbortSignal): Promise<void>;
  /** Downloads what a git job changes on top of its commit. */
  fetchPatch(launchId: string, claim: string, toFile: string, signal: AbortSignal): Promise<void>;
}

export interface ClaimCall {
  queueId: number;
  class?: string;
  ticket: string;
  ticketAttempt: number;
  signal: AbortSignal;
}
export type ClaimReply = { left: number } & (
  | { outcome: 'granted'; launchId: string; claim: string }
  | { outcome: 'none' | 'paused' | 'limited' | 'quarantined' | 'draining' | 'stale' | 'spent' | 'superseded' }
);

export interface ProgressReport {
  claim: string;
  n: number;
  state?: 'preparing' | 'submitting' | 'starting' | 'running';
  reason?: string;
  node?: string;
  plan?: JobPlan;
  atMs: number;
}

export interface LogAppend {
  claim: string;
  attempt: number;
  stream: LogStream;
  fromByte: number;
  atMs: number;
  data: Uint8Array;
  ended: boolean;
}

/** The API answered, and the answer will not change: repeating the call is no use. */
export class AgentApiRefusal extends Error {
  override readonly name = 'AgentApiRefusal';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
