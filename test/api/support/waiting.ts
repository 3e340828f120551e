import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Answer, CallOptions, TestApi } from './api.js';

/** Queues, agents and launches that wait, in lab; each with a name of its own. */
export function waitingSteps(api: () => TestApi) {
  let names = 0;
  const job = 'lab/demo/train';
  const ok = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const answer = await api().call(method, path, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
    return answer;
  };
  async function queue(settings: Record<string, unknown> = {}): Promise<string> {
    const name = `q${++names}`;
    await ok('POST', '/queues', { body: { entity: 'lab', name, target: 'process', ...settings } });
    return name;
  }
  const enqueue = async (name: string, over: Record<string, unknown> = {}): Promise<string> =>
    (await ok('POST', '/launches', { body: { queue: `lab/${name}`, job, ...over } })).body.id as string;

  /** An agent as its process says hello. */
  async function agent(queues: string[], over: Record<string, unknown> = {}) {
    const name = `agent${++names}`;
    const incarnation = `process${name}`.padEnd(16, '0');
    const { body } = await ok('POST', '/agents/hello', {
      key: api().keys.labAgent,
      body: {
        entity: 'lab',
        name,
        incarnation,
        host: 'here',
        pid: 1,
        version: 'test',
        maxJobs: 1,
        targets: { process: { place: 'here', ok: true, details: [] } },
        queues,
        ...over,
      },
    });
    const id = body.agentId as string;
    const set = (change: Record<string, unknown>) =>
      api().db.updateTable('agent').set(change).where('id', '=', id).execute();
    // Nobody sends heartbeats for it, however long the test takes.
    await set({ heartbeat_at: new Date(Date.now() + 3_600_000) });
    return {
      id,
      name,
      async take(queueName: string): Promise<string> {
        const queueId = await idOf(queueName);
        const answer = await ok('POST', `/agents/${id}/claim`, {
          key: api().keys.labAgent,
          body: { incarnation, queueId, ticket: `t/${++names}`, ticketAttempt: 1 },
        });
        expect(answer.body.outcome).toBe('granted');
        return answer.body.launchId as string;
      },
      set,
    };
  }
  const idOf = async (name: string): Promise<number> =>
    (await api().db.selectFrom('queue').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
  const end = (id: string) =>
    sql`update launch set state = 'finished', ended_at = clock_timestamp() where id = ${id}`.execute(api().db);

  const waiting = async (id: string) => (await ok('GET', `/launches/${id}/waiting`)).body;
  const codes = async (id: string): Promise<string[]> =>
    ((await waiting(id)).causes as { code: string }[]).map(({ code }) => code);
  const main = async (id: string): Promise<{ code: string; sentence: string; data: Record<string, unknown> }> =>
    (await waiting(id)).causes[0];

  return { job, ok, queue, enqueue, agent, idOf, end, waiting, codes, main };
}
