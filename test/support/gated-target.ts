import type { JobStatus } from '../../domain/job-plan.js';
import type { Target } from '../../targets/target.js';
import type { AgentTargets } from '../../workers/targets.js';

/** Jobs without processes: they run until the test lets them end, and can be made to fail at submit. For what agents do with slots. */
export interface GatedTargets {
  /** For `startAgent({ targets })`; several agents may share it, and then are at one place. */
  open: () => Promise<AgentTargets>;
  /** Launches whose jobs run now, in the order in which they were started. */
  running(): string[];
  /** Launches in the order in which their jobs were started. */
  readonly started: readonly string[];
  end(launchId: string): void;
  /** From now on jobs end as soon as they have begun. */
  openGate(): void;
  breakSubmit: (() => Error) | undefined;
}

export function gatedTargets(options: { open?: boolean; place?: string } = {}): GatedTargets {
  const { place = 'gated' } = options;
  const jobs = new Map<string, JobStatus & { launchId: string; agentId: string }>();
  const started: string[] = [];
  const waiting = new Set<() => void>();
  let open = options.open ?? false;
  const changed = (): void => {
    for (const wake of [...waiting]) wake();
  };
  const endOf = (name: string): void => {
    const job = jobs.get(name);
    if (job) jobs.set(name, { ...job, state: 'ended', exitCode: 0 });
    changed();
  };
  const untilChanged = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  const gated: GatedTargets = {
    breakSubmit: undefined,
    started,
    running: () => [...jobs.values()].filter((job) => job.state === 'running').map((job) => job.launchId),
    end(launchId) {
      for (const [name, job] of jobs) if (job.launchId === launchId) endOf(name);
    },
    openGate() {
      open = true;
      for (const name of jobs.keys()) endOf(name);
    },
    open: async () => ({
      get: () => target,
      report: { process: { place, ok: true, details: [] } },
      chargedTo: async (agentId) =>
        new Set(
          [...jobs.values()].filter((job) => job.agentId === agentId && job.state !== 'ended').map((job) => job.name),
        ),
    }),
  };
  const target: Target = {
    name: 'process',
    place: async () => place,
    check: async () => ({ ok: true, details: [] }),
    plan: (request) => ({ ...request, target: 'process', spec: {} }),
    prepare: async () => undefined,
    async submit({ name, launchId, attempt }, { agentId }) {
      if (gated.breakSubmit) throw gated.breakSubmit();
      const adopted = jobs.has(name);
      if (!adopted) {
        started.push(launchId);
        jobs.set(name, { name, launchId, attempt, agentId, state: 'running' });
        if (open) endOf(name);
        changed();
      }
      return { adopted };
    },
    find: async (name) => jobs.get(name),
    async *follow(name, signal) {
      let last = '';
      while (!signal.aborted) {
        const status = jobs.get(name);
        if (!status) return;
        if (status.state !== last) yield status;
        last = status.state;
        if (status.state === 'ended') return;
        await untilChanged(signal);
      }
    },
    async *logs() {
      // They print nothing.
    },
    async kill(name) {
      const job = jobs.get(name);
      if (!job || job.state === 'ended') return false;
      jobs.set(name, { ...job, state: 'ended', exitCode: 143, killed: true });
      changed();
      return true;
    },
    close: async (name) => jobs.has(name),
    cleanUp: async () => undefined,
    list: async () => [],
  };
  return gated;
}
