import type { Command } from 'commander';
import { addSettings, configure } from '../config/process.js';
import { temporalConnection } from '../config/temporal.js';
import { workerSettings } from '../config/worker.js';
import { openTracing } from '../../telemetry/tracing.js';
import { checkMetrics, metricsAddress } from '../config/metrics.js';
import { stopSignal, untilAborted } from '../stop-signals.js';
import { isTemporalUnavailable } from '../temporal-errors.js';
import { version } from '../version.js';
import { untilThere } from '../wait-for.js';

export function defineWorker(command: Command): void {
  addSettings(command, workerSettings).action(async (options: Record<string, unknown>) => {
    const configured = configure('worker', workerSettings, options, process.env, ({ values }) =>
      checkMetrics('worker', values),
    );
    if (configured === undefined) return;
    const { loaded, log } = configured;
    const { values, origins } = loaded;
    // Loaded here, so that the other commands start without Temporal's native library.
    const { startControlWorker } = await import('../../workers/control.js');
    const { isStoreUnavailable } = await import('../../store/open.js');
    const signal = stopSignal();
    const tracing = await openTracing({ service: 'davit-worker', version, env: process.env, log });
    const worker = await untilThere(
      'Temporal or the database',
      () =>
        startControlWorker({
          temporal: temporalConnection(values, origins, process.env),
          databaseUrl: values.databaseUrl,
          bundlePath: values.workflowBundle,
          maxCachedWorkflows: values.maxCachedWorkflows,
          windowSize: values.window,
          version,
          metrics: metricsAddress(values),
          tracing,
          log,
        }),
      { log, signal, isTemporary: (error) => isStoreUnavailable(error) || isTemporalUnavailable(error) },
    );
    // What breaks a running worker ends this process with an error; whoever started it starts it again.
    await Promise.race([worker.done, untilAborted(signal)]);
    log.info('stopping: what is under way ends first');
    await worker.stop();
    await tracing?.close();
    log.info('stopped');
  });
}
