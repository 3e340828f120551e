import { describe, expect, test } from 'vitest';
import { Lease } from '../../activities/agent/lease.js';
import { SlotPool } from '../../activities/agent/slot-pool.js';

const never = new AbortController().signal;
/** Does the promise settle before everything that is already under way has? */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const marker = {};
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(marker)])) === marker;
}

describe('the slots of an agent', () => {
  test('idle queues poll freely while a slot is free, and none polls when all are taken', async () => {
    const pool = new SlotPool(1);
    const permits = await Promise.all(['a', 'b', 'c'].map((queue) => pool.reserve(queue, never)));
    expect(permits).toHaveLength(3);
    const lease = new Lease('l1', 'c1', undefined);
    pool.add(lease);
    const waiting = pool.reserve('d', never);
    expect(await isPending(waiting)).toBe(true);
    pool.remove(lease);
    await waiting;
  });

  test('two tickets for one slot: the second sees that it is surplus', async () => {
    const pool = new SlotPool(1);
    const [first, second] = await Promise.all([pool.reserve('a', never), pool.reserve('b', never)]);
    pool.use(first);
    expect(pool.overfull).toBe(false);
    pool.use(second);
    expect(pool.overfull).toBe(true);
    pool.release(second);
    expect(pool.overfull).toBe(false);
  });

  test('a queue that just delivered needs a permit, and permits count against the limit', async () => {
    const pool = new SlotPool(2);
    const ticket = await pool.reserve('a', never);
    pool.use(ticket);
    pool.release(ticket);
    await pool.reserve('a', never);
    await pool.reserve('a', never);
    const third = pool.reserve('a', never);
    expect(await isPending(third)).toBe(true);
    // Permits lapse without a ticket, so the wait is bounded.
    await third;
  });

  test('a job of an earlier process occupies a slot until it has ended', async () => {
    const pool = new SlotPool(1);
    pool.setCharged(new Set(['davit-x-1']));
    const waiting = pool.reserve('a', never);
    expect(await isPending(waiting)).toBe(true);
    expect(pool.hasOrphans).toBe(true);
    pool.setCharged(new Set());
    await waiting;
  });

  test('a job that a lease of this process holds is not counted twice', () => {
    const pool = new SlotPool(2);
    pool.add(new Lease('l1', 'c1', 'davit-x-1'));
    pool.setCharged(new Set(['davit-x-1']));
    expect(pool.held).toBe(1);
  });

  test('an aborted reservation is let go, and a closed pool hands out nothing', async () => {
    const pool = new SlotPool(1);
    pool.close();
    const stop = new AbortController();
    const waiting = pool.reserve('a', stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
