import type { PythonResult, RunningPython } from '../../support/run-python.js';
import type { TrackingApi } from '../../support/tracking-api.js';
import type { WandbVersion } from '../../support/wandb-clients.js';

/** One thing that a user of wandb relies on, shown with a real client: a row of the table that `npm run test:wandb` prints. */
export interface Scenario {
  /** Short kebab-case name, a row of the table. */
  name: string;
  /** What a user may rely on, as a sentence. */
  promise: string;
  /** Why it cannot be had with a version of the client (a fact about the client, never about us). */
  unavailable?: Partial<Record<WandbVersion, string>>;
  /** Runs client programs and asserts with vitest's expect. */
  run(ctx: ScenarioContext): Promise<void>;
}

export interface ScenarioContext {
  version: WandbVersion;
  api: TrackingApi;
  /** A project name of its own: nothing else writes there. Already in WANDB_PROJECT. */
  project: string;
  /**
   * Runs a Python program with this client to its end, in a folder of this scenario that stays between calls. Fails the test unless the exit
   * code is as expected (default 0).
   */
  python(script: string, options?: ProgramOptions): Promise<PythonResult>;
  /** The same, still running. What a scenario leaves running is ended with it. */
  start(script: string, options?: { env?: Record<string, string> }): Promise<RunningPython>;
  /** The client's command line: `wandb sync …`. */
  wandb(args: string[], options?: ProgramOptions): Promise<PythonResult>;
  folder: string;
}

export interface ProgramOptions {
  env?: Record<string, string>;
  exitCode?: number;
}
