import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { launchAttributes } from '../../workflows/search-attributes.js';
import { plainEnvironment } from './find-program.js';
import type { Home } from './home.js';
import { answers, loopback } from './ports.js';
import type { StopStep } from './process-identity.js';
import type { ChildSpec } from './supervise.js';

export interface TemporalServerOptions {
  home: Home;
  program: string;
  port: number;
  uiPort: number;
  env: NodeJS.ProcessEnv;
}

export const defaultNamespace = 'default';

const typeWords: Record<string, string> = { KEYWORD: 'Keyword', INT: 'Int' };
const searchAttributes = Object.fromEntries(
  Object.values(launchAttributes).map(({ name, type }) => [name, typeWords[type] ?? type]),
);

/** Values are JSON. The server takes unknown keys in silence, so each of these is checked by its effect in a test. */
const dynamicConfig: Record<string, string | number | boolean> = {
  // One partition: nothing is forwarded, and a poll sees what waits at once.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // An empty poll holds an agent's permit no longer than this.
  'matching.longPollExpirationInterval': '10s',
  // By default each hop through the single shard waits some 30 ms.
  'history.transferProcessorMaxPollRPS': 1000,
  // A busy server looks at its timers up to a second late by default: so late would a ticket be offered again that a full agent handed back.
  'history.timerProcessorMaxTimeShift': '50ms',
  // A cancelled activity hears of it at once, not with its next heartbeat.
  'frontend.WorkerCommandsEnabled': true,
  'system.enableCancelActivityWorkerCommand': true,
  // A worker that shuts down gives its polls back, so no task is handed to nobody.
  'frontend.enableCancelWorkerPollsOnShutdown': true,
  // Each queue of an agent keeps a poll open; by default 1,200 polls of all agents together are all there may be.
  'frontend.namespaceCount': 100_000,
  // By default 2,400 requests a second of everybody together: a thousand agents that start at once need more for a moment.
  'frontend.namespaceRPS': 100_000,
  // No questions about newer versions to the outside.
  'frontend.enableServerVersionCheck': false,
};

const stopSteps: readonly StopStep[] = [
  // It takes a second; now and then it waits for something. Its file stands a kill at any moment.
  { signal: 'SIGTERM', graceMs: 5_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];

export function temporalServer(options: TemporalServerOptions): ChildSpec {
  const { home, program, port, uiPort, env } = options;
  const address = `${loopback}:${port}`;
  return {
    name: 'temporal',
    port,
    stopSteps,
    program: () => ({
      command: program,
      args: temporalArguments({ folder: home.temporal, host: loopback, port, uiPort }),
      env: { ...plainEnvironment(env), TEMPORAL_VERSION_CHECK_DISABLED: '1' },
      cwd: home.temporal,
    }),
    probe: async (signal) => {
      // A gRPC channel that was refused once waits a second before it tries again.
      if (!(await answers(port))) throw new Error(`nothing listens on ${address} yet`);
      await temporalServes({ address }, { searchAttributes: true, signal });
      if (!(await answers(uiPort))) throw new Error(`Temporal's web page is not at port ${uiPort} yet`);
    },
  };
}

/** What the program is started with, wherever it listens. */
export function temporalArguments(at: { folder: string; host: string; port: number; uiPort: number }): string[] {
  const { folder, host, port, uiPort } = at;
  return [
    ...['server', 'start-dev', '--ip', host, '--port', String(port), '--ui-port', String(uiPort)],
    ...['--ui-disable-news-fetch', '--log-level', 'warn', '--namespace', defaultNamespace],
    // Committed work survives the death of the process; a power failure may take the last moment, which the store heals.
    ...[
      '--db-filename',
      join(folder, 'temporal.db'),
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=normal',
    ],
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    ...Object.entries(searchAttributes).flatMap(([key, type]) => ['--search-attribute', `${key}=${type}`]),
  ];
}

/** Resolves when the server answers health checks and knows the search attributes; rejects otherwise. */
export async function temporalServes(
  options: ConnectionOptions,
  want: { searchAttributes: boolean; signal: AbortSignal },
): Promise<void> {
  const connection = await Connection.connect({ connectTimeout: 2_000, ...options });
  try {
    await connection.withAbortSignal(want.signal, async () => {
      const health = await connection.healthService.check({
        service: 'temporal.api.workflowservice.v1.WorkflowService',
      });
      // 1 is SERVING.
      if (Number(health.status) !== 1) throw new Error(`Temporal is not serving yet (health ${String(health.status)})`);
      if (!want.searchAttributes) return;
      // They are registered after the server already answers.
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: defaultNamespace,
      });
      const missing = Object.keys(searchAttributes).filter((name) => customAttributes[name] === undefined);
      if (missing.length > 0) throw new Error(`Temporal does not know ${missing.join(', ')} yet`);
    });
  } finally {
    await connection.close();
  }
}
