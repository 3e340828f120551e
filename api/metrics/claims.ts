import { claimWaits } from '../../store/metrics.js';
import type { Store } from '../../store/open.js';
import { boundedLabels, Counter, Histogram, type Registry } from '../../telemetry/registry.js';

const queuesAtMost = 500;
const collectMs = 1_000;
const waitingAtMost = 5_000;

/**
 * Claims that this process answered. How long the launches had waited is looked up a little later and for many at once: by the database's
 * clock, and not while the agent waits.
 */
export function claimMetrics(registry: Registry, db: Store) {
  const labels = boundedLabels(queuesAtMost);
  const claims = new Counter({
    name: 'davit_claims_total',
    help: 'Per process. Answers to agents that asked for a launch, by outcome; granted is a launch handed out.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const buckets = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200];
  const latency = new Histogram({
    name: 'davit_claim_latency_seconds',
    help: 'Per process. From the acceptance of a launch to its first claim.',
    labelNames: ['entity', 'queue'],
    buckets,
    registers: [registry],
  });
  const queued = new Histogram({
    name: 'davit_claim_queued_seconds',
    help: 'Per process. From when a launch last came into line (accepted, or given back) to its claim.',
    labelNames: ['entity', 'queue'],
    buckets,
    registers: [registry],
  });
  let granted: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** Looks up what was granted so far. Never rejects: these are observations, not accounts. */
  async function settle(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const ids = granted;
    granted = [];
    if (ids.length === 0) return;
    for (const wait of await claimWaits(db, ids).catch(() => [])) {
      const names = labels(wait.entity, wait.queue);
      if (wait.sinceEnqueueSeconds !== null) latency.observe(names, wait.sinceEnqueueSeconds);
      queued.observe(names, wait.sinceQueuedSeconds);
    }
  }

  return {
    settle,
    observe({ outcome, launchId }: { outcome: string; launchId?: string | undefined }): void {
      claims.inc({ outcome });
      if (launchId === undefined || granted.length >= waitingAtMost) return;
      granted.push(launchId);
      timer ??= setTimeout(() => void settle(), collectMs).unref();
    },
  };
}
