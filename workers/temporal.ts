import { DefaultLogger, Runtime, type NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';

/** Where Temporal is and how to prove who we are. */
export interface TemporalOptions {
  /** host:port */
  address: string;
  namespace: string;
  tls?: NativeConnectionOptions['tls'] | undefined;
  apiKey?: string | undefined;
}

export function connectionOptions(temporal: TemporalOptions): NativeConnectionOptions {
  const { address, tls, apiKey } = temporal;
  return { address, ...(tls === undefined ? {} : { tls }), ...(apiKey === undefined ? {} : { apiKey }) };
}

let installed = false;

/** Once per process, before anything else of Temporal: the SDK's own messages go to our log. */
export function installRuntime(log: Logger, metricsAddress?: string): void {
  if (installed) return;
  installed = true;
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      log[levels[level]]({ temporal: shortMeta(meta) }, message);
    }),
    ...(metricsAddress === undefined
      ? {}
      : { telemetryOptions: { metrics: { prometheus: prometheusAt(metricsAddress) } } }),
    // We end in order ourselves; a second signal must end the process at once.
    shutdownSignals: [],
    // The registry of workers shows a worker only after its first heartbeat.
    workerHeartbeatInterval: '5 seconds',
  });
}

/** Names and units as Prometheus wants them. */
const prometheusAt = (bindAddress: string) => ({
  bindAddress,
  countersTotalSuffix: true,
  unitSuffix: true,
  useSecondsForDurations: true,
});

/** The SDK attaches whole errors and histories; one line of them is enough in a log. */
function shortMeta(meta: Record<string | symbol, unknown> | undefined): Record<string, unknown> {
  const short: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(meta ?? {})) {
    if (['taskToken', 'sdkComponent', 'namespace', 'isLocal'].includes(key)) continue;
    short[key] =
      value instanceof Error ? value.message : typeof value === 'object' ? JSON.stringify(value)?.slice(0, 300) : value;
  }
  return short;
}
