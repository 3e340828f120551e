import type { JobStatus } from '../../domain/job-plan.js';
import type { Target } from '../../targets/target.js';
import type { AgentTargets } from '../../workers/targets.js';

/** Jobs that have ended as soon as they are made: for what is asked of the line alone, thousands of times. */
export async function idleTargets(): Promise<AgentTargets> {
  const jobs = new Map<string, JobStatus>();
  const target: Target = {
    name: 'process',
    place: async () => 'idle',
    check: async () => ({ ok: true, details: [] }),
    plan: (request) => ({ ...request, target: 'process', spec: {} }),
    prepare: async () => undefined,
    async submit({ name, launchId, attempt }, { agentId }) {
      const adopted = jobs.has(name);
      if (!adopted) jobs.set(name, { name, launchId, attempt, agentId, state: 'ended', exitCode: 0 });
      return { adopted };
    },
    find: async (name) => jobs.get(name),
    async *follow(name) {
      const status = jobs.get(name);
      if (status) yield status;
    },
    async *logs() {
      // They print nothing.
    },
    kill: async () => false,
    close: async () => false,
    cleanUp: async () => undefined,
    list: async () => [],
  };
  const report = { process: { place: await target.place(), ...(await target.check()) } };
  return { get: () => target, report, chargedTo: async () => new Set() };
}
