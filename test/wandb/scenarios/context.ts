import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { startPython, wandbEnvironment, type PythonResult, type RunningPython } from '../../support/run-python.js';
import type { TrackingApi } from '../../support/tracking-api.js';
import { wandbPython, type WandbVersion } from '../../support/wandb-clients.js';
import type { ProgramOptions, ScenarioContext } from './scenario.js';

/** A folder and a project of their own for one scenario; `close` ends what still runs and removes the folder. */
export async function openContext(
  version: WandbVersion,
  api: TrackingApi,
  project: string,
): Promise<ScenarioContext & { close(): Promise<void> }> {
  const program = await wandbPython(version);
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-scenario-'));
  const base: Record<string, string> = { ...wandbEnvironment(folder, api), WANDB_PROJECT: project };
  // Sweeps and saved commands start plain `python` and `wandb`: these must be this client's.
  base['PATH'] = [dirname(program), base['PATH']].join(delimiter);
  const running = new Set<RunningPython>();
  /** Files of programs that are starting or run. */
  const taken = new Set<string>();

  function launch(args: readonly string[], env: Record<string, string> = {}): RunningPython {
    const started = startPython(program, args, { folder, env: { ...base, ...env } });
    running.add(started);
    // Whoever waits for its end hears of it; this is only to forget it.
    started.done.then(
      () => running.delete(started),
      () => running.delete(started),
    );
    return started;
  }

  async function start(script: string, options: { env?: Record<string, string> } = {}) {
    // A program reads its file only once Python is up: one that was started a moment ago keeps its own.
    let file = running.size === 0 ? 'train.py' : `train-${running.size + 1}.py`;
    for (let n = running.size + 2; taken.has(file); n++) file = `train-${n}.py`;
    taken.add(file);
    await writeFile(join(folder, file), script);
    const started = launch([file], options.env);
    const free = () => taken.delete(file);
    started.done.then(free, free);
    return started;
  }

  async function toItsEnd(started: RunningPython, options: ProgramOptions = {}): Promise<PythonResult> {
    const result = await started.done;
    expect(result.code, result.output).toBe(options.exitCode ?? 0);
    return result;
  }

  return {
    version,
    api,
    project,
    folder,
    start,
    python: async (script, options = {}) => toItsEnd(await start(script, options), options),
    wandb: (args, options = {}) => toItsEnd(launch(['-m', 'wandb', ...args], options.env), options),
    async close() {
      const left = [...running];
      for (const one of left) one.kill('SIGKILL');
      await Promise.allSettled(left.map((one) => one.done));
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
