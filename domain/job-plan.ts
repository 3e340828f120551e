import type { TargetName } from './words.js';

/** What a target needs to know to plan one attempt of a launch. Everything here may be shown to users: no secrets. */
export interface PlanRequest {
  launchId: string;
  attempt: number;
  /** `remoteName(launchId, attempt)`. */
  name: string;
  /** Program and arguments after all overrides, one string each, no shell. */
  command: string[];
  /** Folder inside the code where the command starts; '' = its root. Never absolute, never with `..`. */
  workingDir: string;
  /** Variables for the job, without secrets. */
  environment: Record<string, string>;
  /** Python requirements, one per line; undefined = the job brings none. */
  requirements: string | undefined;
  /** Python version wished by the job, `3.N`; undefined = any. */
  pythonVersion: string | undefined;
  /** Digest of the code (hex) or undefined when the job has none (image). */
  codeDigest: string | undefined;
  resourceConfig: Record<string, unknown>;
}

/** The exact object a target will submit. `spec` is the target's own business. */
export interface JobPlan extends PlanRequest {
  target: TargetName;
  spec: Record<string, unknown>;
}

/** What a target sees of a job. */
export interface JobStatus {
  name: string;
  launchId: string;
  attempt: number;
  /** Who submitted it. */
  agentId: string;
  state: 'starting' | 'running' | 'ended';
  /** Why it is in this state, one sentence, when there is something to say (unscheduled, pulling, killed by the kernel). */
  reason?: string;
  /** Only when ended: the exit code, 128 + signal number when a signal ended it, or undefined when the target lost track (then `lost`). */
  exitCode?: number;
  signal?: string;
  /** Ended because `kill` was asked for. */
  killed?: boolean;
  /** Ended, but nobody saw how (machine restarted, killed with its keeper). */
  lost?: boolean;
  /** Ended because it needed more memory than it may use, or than there was. */
  outOfMemory?: boolean;
  /** Ended because the target took its place away for something else (eviction, a reclaimed machine). */
  preempted?: boolean;
  startedAtMs?: number;
  endedAtMs?: number;
  /** Where it runs: host name, node, process id. */
  node?: string;
}
