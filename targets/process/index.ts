import { readFile } from 'node:fs/promises';
import { DavitError, type ErrorCode, LaunchError, type Stage } from '../../domain/errors.js';
import type { JobPlan, JobStatus, PlanRequest } from '../../domain/job-plan.js';
import type { LogPiece, PrepareContext, SubmitContext, Target, TargetCheck } from '../target.js';
import { checkProcessTarget } from './check.js';
import { cleanUpJob, listJobs, Sweep } from './clean-up.js';
import { parseProcessTargetConfig, type ProcessTargetConfig, type ProcessTargetOptions } from './config.js';
import { followJob } from './follow.js';
import { installerEnvironment } from './job-environment.js';
import { closeName, killJob } from './kill.js';
import { createOnce, Layout, randomName } from './layout.js';
import { readLog } from './logs.js';
import { planProcess } from './plan.js';
import { prepareJob } from './prepare.js';
import { Pythons } from './python.js';
import { statusOf } from './state.js';
import { submitJob } from './submit.js';

export { processTargetConfigSchema, type ProcessTargetOptions } from './config.js';

/**
 * Jobs as processes of the agent's own machine. They outlive the agent: each runs in its own session under a small keeper (keeper.ts), and
 * all that is known of it lies in files (state.ts), so that any agent of the same work folder can go on where another died.
 */
export function createProcessTarget(options: ProcessTargetOptions): Target {
  return new ProcessTarget(parseProcessTargetConfig(options));
}

class ProcessTarget implements Target {
  readonly name = 'process';
  private readonly layout: Layout;
  private readonly pythons: Pythons;
  private readonly sweep: Sweep;

  constructor(private readonly config: ProcessTargetConfig) {
    this.layout = new Layout(config.workFolder);
    this.pythons = new Pythons(config.pythonPrograms, installerEnvironment(config));
    this.sweep = new Sweep(this.layout, config.keepMs);
  }

  async place(): Promise<string> {
    await this.layout.ensure();
    // Whoever is second reads what the first one wrote.
    await createOnce(this.layout.place, `${randomName()}\n`);
    return (await readFile(this.layout.place, 'utf8')).trim();
  }

  check(): Promise<TargetCheck> {
    return checkProcessTarget(this.config, this.layout, this.pythons);
  }

  plan(request: PlanRequest): JobPlan {
    return planProcess(request);
  }

  prepare(plan: JobPlan, context: PrepareContext): Promise<void> {
    return named('prepare-failed', 'prepare', context.signal, () =>
      prepareJob(this.config, this.layout, this.pythons, plan, context),
    );
  }

  submit(plan: JobPlan, context: SubmitContext): Promise<{ adopted: boolean }> {
    return named('submit-failed', 'submit', context.signal, () => submitJob(this.config, this.layout, plan, context));
  }

  async find(name: string): Promise<JobStatus | undefined> {
    return statusOf(this.layout.job(name));
  }

  follow(name: string, signal: AbortSignal): AsyncIterable<JobStatus> {
    return followJob(this.layout.job(name), signal);
  }

  logs(name: string, stream: 'stdout' | 'stderr', fromByte: number, signal: AbortSignal): AsyncIterable<LogPiece> {
    return readLog(this.layout.job(name), stream, fromByte, signal, this.config.maxLogBytes);
  }

  kill(name: string, graceMs: number): Promise<boolean> {
    return killJob(this.layout, name, graceMs);
  }

  async close(name: string): Promise<boolean> {
    return (await closeName(this.layout, name)) !== undefined;
  }

  async cleanUp(name: string): Promise<void> {
    await cleanUpJob(this.layout, name);
    await this.sweep.ifDue();
  }

  list(agentId: string): Promise<JobStatus[]> {
    return listJobs(this.layout, agentId);
  }
}

/** What the file system or the machine throws gets a code and a stage; an abort stays an abort. */
async function named<T>(code: ErrorCode, stage: Stage, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && !(error instanceof DavitError)) throw signal.reason;
    if (error instanceof DavitError) throw error;
    throw new LaunchError(code, stage, error instanceof Error ? `${error.message}.` : String(error), error);
  }
}
