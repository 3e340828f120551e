import { Gauge, type Registry } from '../../telemetry/registry.js';

/** What heals by itself, and whether it can just now. */
export function sweepMetrics(registry: Registry): (sweep: string, works: boolean) => void {
  const failing = new Gauge({
    name: 'davit_sweep_failing',
    help: 'Per process. 1 while a sweep (what is told late, given back, healed) cannot do its work, 0 while it can.',
    labelNames: ['sweep'],
    registers: [registry],
  });
  return (sweep, works) => failing.set({ sweep }, works ? 0 : 1);
}
