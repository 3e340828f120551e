// A target whose jobs end in the moment they are created. Not part of the product: it exists to see what everything else costs.

export function noopTarget() {
  const jobs = new Map();
  const ended = (plan, agentId) => ({
    name: plan.name,
    launchId: plan.launchId,
    attempt: plan.attempt,
    agentId,
    state: 'ended',
    exitCode: 0,
    startedAtMs: Date.now(),
    endedAtMs: Date.now(),
  });
  return {
    name: 'process',
    place: async () => 'bench',
    check: async () => ({ ok: true, details: ['jobs end at once'] }),
    plan: (request) => ({ ...request, target: 'process', spec: {} }),
    prepare: async () => undefined,
    async submit(plan, { agentId }) {
      const adopted = jobs.has(plan.name);
      if (!adopted) jobs.set(plan.name, ended(plan, agentId));
      return { adopted };
    },
    find: async (name) => jobs.get(name),
    async *follow(name) {
      const job = jobs.get(name);
      if (job) yield job;
    },
    async *logs() {},
    kill: async () => false,
    async cleanUp(name) {
      jobs.delete(name);
    },
    list: async () => [],
  };
}
