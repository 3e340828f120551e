import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../support/engine.js';
import { gatedTargets } from '../support/gated-target.js';
import { until } from '../support/until.js';
import { lineWorkflowId } from '../../workflows/ids.js';

/** Queues besides the one that is looked at. */
const others = 9;
const slots = 1;
/** docs/agents.md: with q queues and n slots at most q - 1 + 2n launches of others. */
const bound = others + 2 * slots;

let engine: Engine;
let connection: Connection;
let job: string;
const target = gatedTargets();
beforeAll(async () => {
  engine = await Engine.start();
  connection = await Connection.connect({ address: engine.temporal.address });
  job = await engine.script('noop', 'true');
  for (let n = 1; n <= others; n++) await engine.queue(`busy-${n}`);
  await engine.queue('quiet');
});
afterAll(async () => {
  target.openGate();
  await engine.stop();
  await connection.close();
});

/** Temporal has a ticket of the quiet line: from now on its launch is ready. */
const untilTicketIsOut = (): Promise<unknown> =>
  until(
    async () => {
      const handle = new Client({ connection }).workflow.getHandle(lineWorkflowId('ada', 'quiet'));
      return ((await handle.describe()).raw.pendingActivities?.length ?? 0) > 0;
    },
    { what: 'a ticket of the quiet line' },
  );

test('one slot, nine queues that are always full: a launch of the tenth is passed by a bounded number of others', async () => {
  const busy = async (): Promise<void> => {
    for (let n = 1; n <= others; n++) await engine.enqueue(`busy-${n}`, job);
  };
  for (let i = 0; i < 4; i++) await busy();
  await engine.startAgent({ maxJobs: slots, targets: target.open });
  const next = async (): Promise<string> => {
    const [id] = await until(() => {
      const running = target.running();
      return running.length > 0 && running;
    });
    if (id === undefined) throw new Error('nothing runs');
    return id;
  };
  const passed: number[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 3; i++) target.end(await next());
    await next();
    const id = await engine.enqueue('quiet', job);
    await untilTicketIsOut();
    await busy();
    const before = target.started.length;
    for (let n = 0; n <= 3 * bound; n++) {
      const running = await next();
      target.end(running);
      if (running === id) break;
    }
    const after = target.started.slice(before);
    expect(after, `round ${round}`).toContain(id);
    passed.push(after.indexOf(id));
    // The busy ones never run dry.
    await busy();
  }
  expect(Math.max(...passed), `passed by ${passed.join(', ')}`).toBeLessThanOrEqual(bound);
});
