import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lazyTemporal } from '../../api/dispatch/index.js';
import { tell } from '../../api/dispatch/tell.js';
import { noteOf } from '../../store/outbox.js';
import { Engine } from '../support/engine.js';
import { until } from '../support/until.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  await engine.queue('q');
});
afterAll(() => engine.stop());

describe('a note that is overtaken by the end of its launch', () => {
  test('leaves no workflow open', async () => {
    const { db } = engine.database;
    const temporal = lazyTemporal({ address: engine.temporal.address, namespace: 'default' }, engine.log);
    const client = await temporal.get();
    const job = await engine.script('never', 'exit 0');
    const id = await engine.enqueue('q', job);
    const early = await until(async () => noteOf(db, id), { what: 'the row' });
    const handle = client.workflow.getHandle(`launch/${id}`);
    // One that ends before its workflow was begun never has one.
    await until(() => handle.describe(), { what: 'the workflow' });
    await engine.client.POST('/launches/{id}/cancel', { params: { path: { id } } });
    await until(async () => (await noteOf(db, id))?.told, { what: 'the end to be told' });
    await until(async () => (await handle.describe()).status.name !== 'RUNNING', { what: 'the workflow to end' });

    // As it was written before the end, and as Temporal may take it seconds later.
    await tell(db, temporal, { ...early, told: false });
    await until(async () => (await handle.describe()).status.name !== 'RUNNING', {
      what: 'the workflow that the late note began to end',
    });
    expect(await handle.result()).toMatchObject({ launchId: id, state: 'stopped' });
    await temporal.close();
  });
});
