import { expect } from 'vitest';
import type { BulkAction } from '../../../domain/bulk.js';
import type { LaunchState } from '../../../domain/words.js';
import { startBulk } from '../../../store/bulk.js';
import { until } from '../../support/until.js';
import type { TestApi } from './api.js';
import { seedWaiting } from './seed.js';

/** What tests of bulks do again and again, in the queues of lab. */
export function bulkSteps(api: () => TestApi) {
  let letters = 'abcdefghijklmnop';

  const makeQueue = async (name: string, settings: Record<string, unknown> = {}): Promise<number> => {
    const made = await api().call('POST', '/queues', { body: { entity: 'lab', name, ...settings } });
    expect(made.status, made.text).toBe(201);
    return (await api().db.selectFrom('queue').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
  };
  async function enqueue(queue: string, n: number, over: Record<string, unknown> = {}): Promise<string[]> {
    const launches = Array.from({ length: n }, () => ({ queue: `lab/${queue}`, job: 'lab/demo/train', ...over }));
    const answer = await api().call('POST', '/launches/batch', { body: { launches } });
    expect(answer.status, answer.text).toBe(200);
    return (answer.body.results as { id: string }[]).map(({ id }) => id);
  }
  /** A queue with that many waiting launches. */
  async function fill(name: string, n: number): Promise<{ queueId: number; ids: string[] }> {
    const queueId = await makeQueue(name);
    const [first = ''] = await enqueue(name, 1);
    const letter = letters.charAt(0);
    letters = letters.slice(1);
    return { queueId, ids: [first, ...(await seedWaiting(api().db, { launchId: first }, n - 1, letter))] };
  }
  const start = (body: Record<string, unknown>, key = api().keys.ada) => api().call('POST', '/bulk', { key, body });
  /** Written down, and nobody is told to work on it. */
  const begin = (action: BulkAction, queueId: number, states: LaunchState[]) =>
    api()
      .db.transaction()
      .execute((tx) =>
        startBulk(tx, {
          actor: 'ada',
          filter: {},
          params: {},
          selection: { entityId: api().ids.lab, queueId, action, states, filter: {}, params: {} },
        }),
      );
  const ended = (id: string) =>
    until(
      async () => {
        const { body } = await api().call('GET', `/bulk/${id}`);
        return body.state !== 'running' && (body as Record<string, unknown>);
      },
      { what: 'the end of the bulk', ms: 120_000 },
    );
  async function done(body: Record<string, unknown>): Promise<Record<string, unknown>> {
    const started = await start(body);
    expect(started.status, started.text).toBe(202);
    return ended(started.body.id as string);
  }
  const line = async (queue: string) =>
    ((await api().call('GET', `/launches?queue=lab/${queue}&order=line&limit=200`)).body.items as { id: string }[]).map(
      ({ id }) => id,
    );
  const rowsOf = (ids: readonly string[]) =>
    api().db.selectFrom('launch').select(['id', 'state', 'held', 'priority']).where('id', 'in', ids).execute();

  return { makeQueue, enqueue, fill, start, begin, ended, done, line, rowsOf };
}
