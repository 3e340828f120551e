import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDispatch, lazyTemporal, type FullDispatch } from '../../api/dispatch/index.js';
import { openStore } from '../../store/open.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';
import { bulkSteps } from './support/bulks.js';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { fill, begin, ended, rowsOf } = bulkSteps(() => api);

describe('a process that dies in the middle of a bulk', () => {
  /** One of several API processes, with connections of its own. */
  function another(name: string): {
    dispatch: FullDispatch;
    kill(): Promise<{ closed: Promise<void> }>;
    close(): Promise<void>;
  } {
    const log = pino({ level: 'silent' });
    const store = openStore({
      databaseUrl: api.databaseUrl,
      maxConnections: 4,
      applicationName: name,
      onError: () => undefined,
    });
    const temporal = lazyTemporal({ address: '127.0.0.1:1', namespace: 'default' }, log);
    const dispatch = createDispatch({ db: store.db, temporal, windowSize: 0, log });
    const close = async () => {
      await dispatch.stop();
      await store.close();
    };
    return {
      dispatch,
      // As seen from the database: its connections end in the middle of whatever they do.
      async kill() {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`.execute(
          api.db,
        );
        return { closed: close() };
      },
      close,
    };
  }

  const progress = async (id: string) => (await api.call('GET', `/bulk/${id}`)).body as { done: number; state: string };

  async function interrupted(id: string, name: string): Promise<Record<string, unknown>> {
    const one = another(`davit-${name}-one`);
    const { closed } = await api.db.transaction().execute(async (tx) => {
      // What a bulk is about is forgotten with its end: it does not come to that, however fast the machine.
      await tx
        .selectFrom('bulk_launch')
        .select('n')
        .where('bulk_id', '=', id)
        .orderBy('n')
        .limit(1)
        .forUpdate()
        .execute();
      one.dispatch.bulkStarted();
      await until(async () => (await progress(id)).done > 0, { what: 'some progress' });
      const killed = await one.kill();
      expect((await progress(id)).state).toBe('running');
      return killed;
    });
    await closed;
    const two = another(`davit-${name}-two`);
    const three = another(`davit-${name}-three`);
    try {
      // Nobody tells them: their sweeps find it, both at once.
      two.dispatch.start();
      three.dispatch.start();
      return await ended(id);
    } finally {
      await two.close();
      await three.close();
    }
  }

  test('leaves the rest to others, and every launch is changed once', async () => {
    const { queueId, ids } = await fill('killed', 3_000);
    const id = await begin('cancel', queueId, ['queued']);
    expect(await interrupted(id, 'cancel')).toMatchObject({ total: 3_000, done: 3_000, skipped: 0, failed: 0 });
    expect(new Set((await rowsOf(ids)).map(({ state }) => state))).toEqual(new Set(['stopped']));
    const trail = await api.db.selectFrom('audit').select('subject').where('bulk', '=', id).execute();
    expect(trail).toHaveLength(3_000);
    expect(new Set(trail.map(({ subject }) => subject)).size).toBe(3_000);
    const events = await api.db
      .selectFrom('launch_event')
      .select('launch_id')
      .where('launch_id', 'in', ids)
      .where('type', '=', 'stopped')
      .execute();
    expect(events).toHaveLength(3_000);
  });

  test('and every launch is retried once', async () => {
    const { queueId, ids } = await fill('killed-retry', 200);
    await sql`update launch set state = 'failed', ended_at = now() where queue_id = ${queueId}`.execute(api.db);
    const id = await begin('retry', queueId, ['failed']);
    expect(await interrupted(id, 'retry')).toMatchObject({ total: 200, done: 200, skipped: 0, failed: 0 });
    const again = await api.db.selectFrom('launch').select('relaunch_of').where('queue_id', '=', queueId).execute();
    expect(again.flatMap((row) => row.relaunch_of ?? []).sort()).toEqual([...ids].sort());
  });
});
