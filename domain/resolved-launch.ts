import type { TargetName } from './words.js';

/**
 * A launch request with every name looked up and every default filled in, fixed at enqueue: later changes of the queue, of an alias or of
 * the job change nothing for it. Stored with the launch and shown; no secrets.
 */
export interface ResolvedLaunch {
  entity: string;
  project: string;
  queueEntity: string;
  queue: string;
  target: TargetName;
  /** Undefined: an image without a job. */
  job?: ResolvedJob | undefined;
  /** An image that is run without a job. */
  image?: string | undefined;
  /** The commit that the launch's own branch, tag or commit was at enqueue; default: the job's. */
  git?: { ref: string; commit: string } | undefined;
  runName: string;
  displayName: string | undefined;
  author: string;
  /** W3C traceparent of the request that enqueued it, when it had one. */
  traceparent?: string | undefined;
  /** Queue default, template variables filled in, with the launch's own parameters merged over it. Macros are put in when it is planned. */
  resourceConfig: Record<string, unknown>;
  /** Variables of the job that hold secrets, by name: those of the queue and the launch's own. Absent: none. */
  secrets?: Record<string, string> | undefined;
  /** Name of the secret that opens the remote of a git job. Absent: none, or only the job's file names it. */
  gitSecret?: string | undefined;
  /** What was accepted all the same: inputs that do not fit, where the queue only warns; parameters that were left out. */
  warnings?: string[] | undefined;
}

export interface ResolvedJob {
  entity: string;
  project: string;
  name: string;
  version: string;
  artifactId: number;
}

export const jobPath = (job: ResolvedJob): string => `${job.entity}/${job.project}/${job.name}:${job.version}`;
