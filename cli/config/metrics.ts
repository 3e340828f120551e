import { isLoopback } from '../../telemetry/metrics-listener.js';
import { invalid } from './load.js';
import type { ProcessName } from './variables.js';

interface MetricsValues {
  metricsPort?: number;
  metricsHost: string;
  metricsToken?: string;
}

/** Where this process shows its metrics beside everything else it does; undefined: nowhere. */
export const metricsAddress = ({ metricsPort, metricsHost, metricsToken }: MetricsValues) =>
  metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort, token: metricsToken };

/** Nobody's metrics are open to whoever can reach an address. */
export function checkMetrics(process: ProcessName, values: MetricsValues): void {
  const { metricsPort, metricsHost, metricsToken } = values;
  if (metricsPort === undefined || metricsToken !== undefined || isLoopback(metricsHost)) return;
  const message = `is not loopback (${metricsHost}): set DAVIT_METRICS_TOKEN as well, and give it to Prometheus`;
  throw invalid(process, [{ path: 'metricsHost', message }]);
}
