import { parseRemoteName } from '../../domain/ids.js';
import { DavitError, type ErrorCode, LaunchError, type Stage } from '../../domain/errors.js';
import type { JobPlan, JobStatus, PlanRequest } from '../../domain/job-plan.js';
import type { LogPiece, PrepareContext, SubmitContext, Target, TargetCheck } from '../target.js';
import { findEngine } from './address.js';
import { checkEngine } from './check.js';
import { cleanUpJob, listJobs } from './clean-up.js';
import { dockerTargetConfigSchema, type DockerTargetConfig, type DockerTargetOptions } from './config.js';
import { Disk } from './disk.js';
import { Engine, EngineAway, reasonOf } from './engine.js';
import { followJob } from './follow.js';
import { closeName, killJob } from './kill.js';
import { LogPlaces, type LogReader, readLog } from './logs.js';
import { placeOf } from './place.js';
import { planDocker } from './plan.js';
import { prepareJob } from './prepare.js';
import { JobFolders } from './prepared.js';
import { jobStatus } from './status.js';
import { submitJob } from './submit.js';
import { Sweep } from './sweep.js';
import { Watcher } from './watcher.js';

export { dockerTargetConfigSchema, type DockerTargetOptions } from './config.js';

/**
 * Jobs as containers of a Docker Engine. All that is known of them lies with the Engine (names and labels of containers, marks.ts), so that any
 * agent of the same Engine can go on where another died; the Engine itself may die and come back in every phase.
 */
export function createDockerTarget(options: DockerTargetOptions): Target {
  return new DockerTarget(
    // `process.env` is no plain object everywhere.
    dockerTargetConfigSchema.parse({ ...options, hostEnvironment: { ...options.hostEnvironment } }),
  );
}

/** Of containers, whichever target of this process read them. */
const places = new LogPlaces();

class DockerTarget implements Target {
  readonly name = 'docker';
  private readonly engine: Engine;
  private readonly watcher: Watcher;
  private readonly folders: JobFolders;
  private readonly sweep: Sweep;
  private readonly disk: Disk;

  constructor(private readonly config: DockerTargetConfig) {
    this.engine = new Engine(findEngine(config.engine, config.hostEnvironment));
    this.watcher = new Watcher(this.engine);
    this.folders = new JobFolders(config.workFolder);
    this.sweep = new Sweep(this.engine, this.folders, config.keepMs);
    this.disk = new Disk(this.engine, config, () => this.sweep.hurry());
  }

  place(): Promise<string> {
    return placeOf(this.engine, this.config.workFolder);
  }

  check(): Promise<TargetCheck> {
    return checkEngine(this.engine, this.disk, this.config);
  }

  plan(request: PlanRequest): JobPlan {
    return planDocker(request, this.config);
  }

  prepare(plan: JobPlan, context: PrepareContext): Promise<void> {
    const { reader, disk, folders, config } = this;
    return named('prepare-failed', 'prepare', context.signal, () =>
      this.engine.throughAbsences(() => prepareJob({ reader, disk, folders, config }, plan, context), {
        signal: context.signal,
        patienceMs: config.patienceMs,
        onAway: ({ message }) => context.onLog(`${message}; preparing begins again when it does.\n`),
      }),
    );
  }

  submit(plan: JobPlan, context: SubmitContext): Promise<{ adopted: boolean }> {
    const { engine, watcher, folders, config } = this;
    return named('submit-failed', 'submit', context.signal, () =>
      submitJob({ engine, watcher, folders, config }, plan, context),
    );
  }

  async find(name: string): Promise<JobStatus | undefined> {
    return parseRemoteName(name) && jobStatus(this.engine, name);
  }

  follow(name: string, signal: AbortSignal): AsyncIterable<JobStatus> {
    return followJob(this.engine, this.watcher, name, signal);
  }

  logs(name: string, stream: 'stdout' | 'stderr', fromByte: number, signal: AbortSignal): AsyncIterable<LogPiece> {
    return readLog(this.reader, name, stream, fromByte, signal);
  }

  kill(name: string, graceMs: number): Promise<boolean> {
    return killJob(this.engine, this.watcher, name, graceMs);
  }

  async close(name: string): Promise<boolean> {
    return (await closeName(this.engine, name)) !== undefined || (await this.find(name)) !== undefined;
  }

  async cleanUp(name: string): Promise<void> {
    await cleanUpJob(this.engine, this.folders, name);
    await this.sweep.ifDue();
  }

  list(agentId: string): Promise<JobStatus[]> {
    return listJobs(this.engine, agentId);
  }

  private get reader(): LogReader {
    const { engine, watcher } = this;
    return { engine, watcher, places };
  }
}

/** What the Engine answers gets a code and a stage; an abort stays an abort. */
async function named<T>(code: ErrorCode, stage: Stage, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && !(error instanceof DavitError)) throw signal.reason;
    if (error instanceof DavitError) throw error;
    if (error instanceof EngineAway) throw new LaunchError('engine-unreachable', stage, `${error.message}.`, error);
    throw new LaunchError(code, stage, `${reasonOf(error)}.`, error);
  }
}
