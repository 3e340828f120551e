import type { TargetName } from './words.js';

/** Fixed at enqueue: a commit, never a branch. */
export type PlanSource =
  | { kind: 'code' }
  | {
      kind: 'git';
      remote: string;
      /** All of it, 40 hex digits or more. */
      commit: string;
      /** The named secret that opens the remote. */
      credentials?: string;
      /** The job brings changes on top of the commit; they come with the code. */
      patched?: boolean;
    }
  | { kind: 'image'; image: string };

/** Paths are relative to the code, never absolute, never with `..`. */
export interface BuildWishes {
  /** Holds the code already: nothing is built. */
  image?: string;
  dockerfile?: string;
  /** Folder that the Dockerfile sees. Default: all of the code. */
  context?: string;
  /** Runs the code as it is, or is what an image is made on, instead of a Python image. */
  baseImage?: string;
  /** A base image with what an accelerator needs; Python is added to it. */
  acceleratorBaseImage?: string;
  /** Name of a builder, instead of the agent's own. */
  builder?: string;
  /** `linux/arm64`: what the job's place is, where the target was told. Default: what the builder builds for. */
  platform?: string;
}

/** What a target needs to know to plan one attempt of a launch. Everything here may be shown to users: no secrets. */
export interface PlanRequest {
  launchId: string;
  attempt: number;
  /** `remoteName(launchId, attempt)`. */
  name: string;
  /** Where what runs comes from. */
  source: PlanSource;
  /** How an image is made of the code, where the target wants one; nothing is said here of image jobs. */
  build: BuildWishes;
  /** Program and fixed arguments after all overrides. Only an image job may have none: then what the image itself starts. */
  entryPoint: string[];
  /** Appended after the entry point. */
  args: string[];
  /** Both, one string each, no shell. */
  command: string[];
  /** Folder inside the code where the command starts; '' = its root. Never absolute, never with `..`. */
  workingDir: string;
  /** Variables for the job, without secrets. */
  environment: Record<string, string>;
  /** Python requirements, one per line; undefined = the job brings none. */
  requirements: string | undefined;
  /** Python version wished by the job, `3.N`; undefined = any. */
  pythonVersion: string | undefined;
  /** Stands for the code as it is (hex): same digest, same files. Undefined when the job has none (image). */
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
  /** Only when ended: what else there is to know of it, one sentence, whatever its outcome. */
  note?: string;
  startedAtMs?: number;
  endedAtMs?: number;
  /** Where it runs: host name, node, process id. */
  node?: string;
}
