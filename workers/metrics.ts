import { createServer, type AddressInfo } from 'node:net';
import type { SlotPool } from '../activities/agent/slot-pool.js';
import { listenForMetrics } from '../telemetry/metrics-listener.js';
import { Gauge, processRegistry, textOf, type Registry } from '../telemetry/registry.js';

/** Where a worker or an agent shows its metrics. */
export interface MetricsAddress {
  host: string;
  port: number;
  token: string | undefined;
}

let sdkAddress: Promise<string> | undefined;

/**
 * Where Temporal's SDK serves its own metrics: on loopback, at a port of this process's choice, because it asks nobody who they are. We read
 * it and pass it on. Once per process, as the SDK's runtime is.
 */
export const temporalMetricsAddress = (): Promise<string> => (sdkAddress ??= freeAddress());

async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

/** GET /metrics of this process: its own series, and those of Temporal's SDK. */
export async function serveMetrics(
  part: 'worker' | 'agent',
  version: string,
  address: MetricsAddress,
  own: (registry: Registry) => void = () => undefined,
): Promise<{ port: number; close(): Promise<void> }> {
  const registry = processRegistry(part, version);
  own(registry);
  const sdk = await temporalMetricsAddress();
  return listenForMetrics({
    ...address,
    async read() {
      const [ours, theirs] = await Promise.all([textOf(registry), readSdk(sdk)]);
      return `${ours}\n${theirs}`;
    },
  });
}

/** Our own series must not be missing because the SDK's are. */
async function readSdk(address: string): Promise<string> {
  try {
    const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}

export const slotMetrics =
  (pool: Pick<SlotPool, 'limit' | 'held'>) =>
  (registry: Registry): void => {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help: `Per process. ${help}`,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge('davit_agent_local_slots', 'Slots of this agent; +Inf: without limit.', () => pool.limit);
    gauge(
      'davit_agent_local_slots_used',
      'Claims that this process holds, jobs that an earlier process of this agent left running, and tickets that are just being answered.',
      () => pool.held,
    );
  };
