import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { controlActivities } from '../activities/control/index.js';
import { openStore } from '../store/open.js';
import { controlTaskQueue } from '../workflows/ids.js';
import type { Tracing } from '../telemetry/tracing.js';
import { startRunKeyFiller } from './run-key-filler.js';
import { serveMetrics, temporalMetricsAddress, type MetricsAddress } from './metrics.js';
import { connectionOptions, installRuntime, type TemporalOptions } from './temporal.js';
import { tellTraces } from './trace-teller.js';

export interface ControlWorkerOptions {
  temporal: TemporalOptions;
  databaseUrl: string;
  /** The prebuilt bundle; default: the one the build made. Without one it is bundled at start (seconds, development only). */
  bundlePath?: string | undefined;
  /** 80-100 KiB each; a waiting launch is idle and replayed from a few events when it is touched. */
  maxCachedWorkflows: number;
  /** Launches at the front of a line that have a workflow from the start. */
  windowSize?: number | undefined;
  /** Of this program, shown with its metrics. */
  version?: string | undefined;
  metrics?: MetricsAddress | undefined;
  /** Present: traces of ended launches are told. Its owner closes it. */
  tracing?: Tracing | undefined;
  log: Logger;
}

export interface RunningWorker {
  /** Ends when what is under way has ended. */
  stop(): Promise<void>;
  /** Rejects when the worker broke. */
  done: Promise<void>;
}

/** Runs the workflows and what they record into the store. Stateless: any number may run, two by default outside the embedded stack. */
export async function startControlWorker(options: ControlWorkerOptions): Promise<RunningWorker> {
  const { log, temporal } = options;
  installRuntime(log, options.metrics && (await temporalMetricsAddress()));
  const store = openStore({
    databaseUrl: options.databaseUrl,
    maxConnections: 8,
    applicationName: 'davit-worker',
    onError: (error) => log.warn({ error: error.message }, 'a database connection broke'),
  });
  const connection = await NativeConnection.connect(connectionOptions(temporal));
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: controlTaskQueue,
    identity: `control@${process.pid}`,
    ...bundleOf(options.bundlePath),
    activities: controlActivities({ db: store.db, windowSize: options.windowSize ?? 200 }),
    maxCachedWorkflows: options.maxCachedWorkflows,
    // A worker that dies takes its cached workflows' next task with it for this long: it bounds the gap between claims.
    stickyQueueScheduleToStartTimeout: '1 second',
    maxConcurrentActivityTaskExecutions: 16,
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '20 seconds',
  });
  log.info(
    { taskQueue: controlTaskQueue, temporal: temporal.address, namespace: temporal.namespace },
    'control worker runs',
  );

  const metrics = options.metrics && (await serveMetrics('worker', options.version ?? '', options.metrics));
  const teller = options.tracing && tellTraces({ db: store.db, tracing: options.tracing, log });
  const filler = startRunKeyFiller({ db: store.db, log });
  const done = worker.run().finally(async () => {
    await filler.stop();
    await teller?.stop();
    await metrics?.close();
    await connection.close().catch(() => undefined);
    await store.close();
  });
  done.catch(() => undefined);
  return {
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await done.catch(() => undefined);
    },
    done,
  };
}

function bundleOf(bundlePath: string | undefined) {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  const codePath = bundlePath ?? (existsSync(built) ? built : undefined);
  if (codePath) return { workflowBundle: { codePath } };
  return { workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)) };
}
