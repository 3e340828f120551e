import { agentSettings } from './agent.js';
import { serverSettings } from './server.js';
import type { Settings } from './settings.js';
import { variableOf, variablesOf } from './settings.js';
import { suggest } from './suggest.js';
import { upSettings } from './up.js';
import { workerSettings } from './worker.js';

export type ProcessName = 'server' | 'worker' | 'agent' | 'up';

export const settingsOf: Record<ProcessName, Settings> = {
  server: serverSettings,
  worker: workerSettings,
  agent: agentSettings,
  up: upSettings,
};

/** Read by the commands that speak to an API, and by the stack; no settings of a process. */
const otherVariables = ['DAVIT_HOME', 'DAVIT_CONFIG', 'DAVIT_URL', 'DAVIT_API_KEY', 'DAVIT_SUPERVISOR_PID'];

/** What tests and benchmarks, and the jobs that we start ourselves, find in their environment. */
const otherPrefixes = ['DAVIT_TEST_', 'DAVIT_BENCH_', 'DAVIT_LAUNCH_', 'DAVIT_JOB_', 'DAVIT_RUN_'];

const knownVariables = new Set([
  ...otherVariables,
  ...Object.values(settingsOf).flatMap((settings) =>
    Object.entries(settings).flatMap(([key, one]) => variablesOf(key, one)),
  ),
]);

export interface UnknownVariable {
  name: string;
  /** What was probably meant. */
  meant?: string;
}

/**
 * DAVIT_ variables that no part of Davit knows. Those of another part are fine: one environment often serves several. A misspelt one
 * would otherwise be ignored, and the default taken in its place.
 */
export function unknownVariables(env: NodeJS.ProcessEnv, process: ProcessName): UnknownVariable[] {
  const mine = Object.keys(settingsOf[process]).map(variableOf);
  return Object.keys(env)
    .filter((name) => name.startsWith('DAVIT_') && !knownVariables.has(name))
    .filter((name) => !otherPrefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => {
      const meant = suggest(name, mine) ?? suggest(name, [...knownVariables]);
      return meant === undefined ? { name } : { name, meant };
    });
}
