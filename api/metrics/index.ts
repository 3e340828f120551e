import type { Logger } from 'pino';
import { processRegistry, textOf } from '../../telemetry/registry.js';
import type { Store } from '../../store/open.js';
import { claimMetrics } from './claims.js';
import { requestMetrics } from './requests.js';
import { storeMetrics } from './store-metrics.js';
import { sweepMetrics } from './sweeps.js';

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

/** Everything that `GET /metrics` says (docs/monitoring.md): what this process did, and what the store knows of the whole installation. */
export function createApiMetrics({ db, version, log }: { db: Store; version: string; log: Logger }) {
  const registry = processRegistry('server', version);
  const claims = claimMetrics(registry, db);
  const store = storeMetrics(db, log);
  return {
    observeRequest: requestMetrics(registry),
    observeSweep: sweepMetrics(registry),
    claimed: claims.observe,
    /** The page in Prometheus' text format. Never rejects: without the store it has this process's own series. */
    async page(): Promise<string> {
      await claims.settle();
      const [own, shared] = await Promise.all([textOf(registry), store.page()]);
      return `${own}\n${shared}`;
    },
  };
}
