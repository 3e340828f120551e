import type { BuiltImage } from '../builders/builder.js';
import type { ImageInUse } from '../domain/image-in-use.js';
import type { JobPlan, JobStatus, PlanRequest } from '../domain/job-plan.js';
import type { TargetName } from '../domain/words.js';

/**
 * A target is where jobs run. Every method is safe to call again after a crash at any line, from any agent of the same place.
 *
 * Names: `name` is the deterministic name of the remote object, a function of launch id and attempt (`domain/ids.ts`, `remoteName`).
 */
export interface Target {
  readonly name: TargetName;

  /**
   * Where this target's jobs can be seen from: two agents with the same place can adopt each other's jobs (a machine and its work folder,
   * a Docker Engine, a cluster). Stable over restarts. Becomes part of the watch queue's name.
   */
  place(): Promise<string>;

  /** Can jobs run here? Reported at agent start and by `davit doctor`. Never throws. */
  check(): Promise<TargetCheck>;

  /** The exact object that will be submitted. Pure: no input/output. Shown to users as a preview and stored with the launch. */
  plan(request: PlanRequest): JobPlan;

  /**
   * Makes everything ready that may take long or fail for the user's reasons (environment, image). Idempotent; `onLog` gets the output as
   * it appears. Throws `LaunchError` (domain/errors.ts) with stage `prepare`.
   */
  prepare(plan: JobPlan, context: PrepareContext): Promise<void>;

  /**
   * Create-or-adopt: after it returns, exactly one job of this name exists, whoever created it.
   * `secrets` are environment variables that must not be stored in the plan; they reach the job and nothing else.
   * Throws `LaunchError` with stage `submit`.
   */
  submit(plan: JobPlan, context: SubmitContext): Promise<{ adopted: boolean }>;

  /** The job's present status, or undefined when this place knows no job of that name. */
  find(name: string): Promise<JobStatus | undefined>;

  /**
   * Statuses as they change, the present one first; ends after the terminal one. Ends early, without error, when `signal` aborts.
   * A job that does not exist (yet) is waited for: the caller decides by `find` whether that makes sense.
   */
  follow(name: string, signal: AbortSignal): AsyncIterable<JobStatus>;

  /**
   * Output of one stream from a byte offset on, following until the job has ended and everything was read, or `signal` aborts.
   * Offsets count bytes of that stream since the job's start; a restart with the last offset neither skips nor repeats a byte.
   * A target may keep only the first part of an endless output; the status then says so.
   */
  logs(name: string, stream: 'stdout' | 'stderr', fromByte: number, signal: AbortSignal): AsyncIterable<LogPiece>;

  /**
   * Asks the job to end, then makes it end after `graceMs`, or after the grace that its resource config names (0 stays 0). Returns when
   * it is gone (true) or was not there (false). A job that is just being created under this name is either killed or prevented: after
   * `kill` returned, a later `submit` of the same name must refuse with code `submit-after-kill`.
   */
  kill(name: string, graceMs: number): Promise<boolean>;

  /**
   * As the first half of `kill`: after it returned, nothing starts under this name. True: something has, and goes on or ends by itself. What was
   * on its way may be told as ended and `killed` all the same; then it was ended before it did anything.
   */
  close(name: string): Promise<boolean>;

  /**
   * Removes what the job left at this place (folders, containers, processes), never its recorded outcome before some hours have passed.
   * Does nothing to a job that has not ended.
   */
  cleanUp(name: string): Promise<void>;

  /** Jobs at this place that are charged to the agent and have not ended. */
  list(agentId: string): Promise<JobStatus[]>;
}

export interface TargetCheck {
  ok: boolean;
  /** One sentence each: what was found, or what is missing and how to get it. */
  details: string[];
}

export interface PrepareContext {
  signal: AbortSignal;
  onLog(text: string): void;
  /** Downloads the job's code (a gzipped tar of the folder) to a file; only for jobs of kind `code`. */
  fetchCode(toFile: string): Promise<void>;
  /** The value of a named secret that the launch's queue allows. From then on it is masked in everything that the launch writes. */
  secret(name: string): Promise<string>;
  /** What the job runs in, when it is an image that was not built for it; for a target that knows images. */
  onImage(image: ImageInUse): Promise<void>;
  /**
   * Makes an image of the job's code, or finds it. Undefined: the code runs on a base image that the target brings it to. `makeRoom` is called
   * before something is built.
   */
  buildImage?(makeRoom?: () => Promise<void>): Promise<BuiltImage>;
  /** What opens a registry of images; undefined: nothing is known for this host. */
  registryLogin?(host: string): Promise<{ username: string; password: string } | undefined>;
}

export interface SubmitContext {
  signal: AbortSignal;
  secrets: Readonly<Record<string, string>>;
  /** Who is charged with the job; written into the job's label. */
  agentId: string;
}

export interface LogPiece {
  fromByte: number;
  data: Uint8Array;
  /** When the first byte was seen, milliseconds since 1970. */
  atMs: number;
}
