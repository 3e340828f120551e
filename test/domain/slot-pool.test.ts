import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lease } from '../../activities/agent/lease.js';
import { SlotPool, type Permit } from '../../activities/agent/slot-pool.js';
import { Dice } from '../support/random.js';

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

/** Lines with launches, an agent that polls them as the SDK does, and jobs that outlive its process. What happens next is drawn by lot. */
class SimulatedAgent {
  pool: SlotPool;
  private stop = this.newStop();
  private open = new Map<string, Permit>();
  private answering: { queue: string; permit: Permit; turnedAway: boolean }[] = [];
  private leases: { lease: Lease; job: string }[] = [];
  /** Jobs at the target, charged to this agent, whichever of its processes started them. */
  readonly jobs = new Set<string>();
  /** Queues of the launches that were claimed, in order. */
  readonly claims: string[] = [];
  readonly waiting = new Map<string, number>();
  private n = 0;

  constructor(
    readonly maxJobs: number,
    readonly queues: readonly string[],
    readonly dice: Dice,
  ) {
    this.pool = new SlotPool(maxJobs);
    for (const queue of queues) this.poll(queue);
  }

  private newStop(): AbortController {
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    return stop;
  }

  private poll(queue: string): void {
    const { open, pool } = this;
    void pool.reserve(queue, this.stop.signal).then(
      (permit) => {
        // Of a process that has ended meanwhile nobody hears any more.
        if (pool === this.pool) open.set(queue, permit);
      },
      () => undefined,
    );
  }

  private deliverable = (): string[] =>
    [...this.open.keys()].filter(
      (queue) => (this.waiting.get(queue) ?? 0) > this.answering.filter((each) => each.queue === queue).length,
    );

  get isIdle(): boolean {
    return this.deliverable().length === 0 && this.answering.length === 0;
  }

  /** One thing that may happen now. */
  step(): void {
    // Time passes when nothing is under way: permits lapse where nobody waits.
    if (this.isIdle && this.dice.chance(0.2)) vi.advanceTimersByTime(1_251);
    const moves: (() => void)[] = [];
    for (const queue of this.deliverable()) moves.push(() => this.deliver(queue));
    for (const one of this.answering) moves.push(() => this.answer(one));
    // Jobs take longer than Temporal takes to hand a ticket to a poll.
    if (this.deliverable().length === 0) for (const one of this.leases) moves.push(() => this.finish(one));
    // Long polls end only where nobody waits: Temporal hands out what it has at once.
    for (const queue of this.open.keys()) if (!this.waiting.get(queue)) moves.push(() => this.endPoll(queue));
    const [first, ...others] = moves;
    if (first) this.dice.pick([first, ...others])();
  }

  private take(queue: string): Permit {
    const permit = this.open.get(queue);
    if (!permit) throw new Error(`${queue} does not poll`);
    this.open.delete(queue);
    return permit;
  }
  private deliver(queue: string): void {
    const permit = this.take(queue);
    this.pool.use(permit);
    this.answering.push({ queue, permit, turnedAway: this.pool.turnsAway(queue) });
    this.poll(queue);
  }
  private answer(one: { queue: string; permit: Permit; turnedAway: boolean }): void {
    this.answering.splice(this.answering.indexOf(one), 1);
    if (!one.turnedAway) {
      this.waiting.set(one.queue, (this.waiting.get(one.queue) ?? 1) - 1);
      const job = `job-${++this.n}`;
      const lease = new Lease(job, `claim-${this.n}`, job);
      this.pool.add(lease);
      this.leases.push({ lease, job });
      this.jobs.add(job);
      this.claims.push(one.queue);
    }
    this.pool.release(one.permit);
  }
  private finish(one: { lease: Lease; job: string }): void {
    this.leases.splice(this.leases.indexOf(one), 1);
    this.jobs.delete(one.job);
    this.pool.setCharged(this.jobs);
    this.pool.remove(one.lease);
  }
  private endPoll(queue: string): void {
    this.pool.release(this.take(queue));
    this.poll(queue);
  }

  /** A job that nobody of us holds any more has ended, and the agent has counted again. */
  endOrphan(): void {
    const held = new Set(this.leases.map(({ job }) => job));
    const orphan = [...this.jobs].find((job) => !held.has(job));
    if (orphan === undefined) return;
    this.jobs.delete(orphan);
    this.pool.setCharged(new Set(this.jobs));
  }

  /** The process ends, its jobs do not; the next process counts them before its first poll. */
  restart(): void {
    this.stop.abort(new Error('the process ends'));
    this.stop = this.newStop();
    this.open = new Map();
    this.answering = [];
    this.leases = [];
    this.pool = new SlotPool(this.maxJobs);
    this.pool.setCharged(new Set(this.jobs));
    for (const queue of this.queues) this.poll(queue);
  }
}

describe('whatever happens', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
  afterEach(() => void vi.useRealTimers());
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('a slot waits for a ticket that was handed back, which a busy server offers again only after a second', async () => {
    const pool = new SlotPool(1);
    const [quiet, busy] = await Promise.all([pool.reserve('quiet', never), pool.reserve('busy', never)]);
    const running = new Lease('l1', 'c1', 'j1');
    pool.use(busy);
    expect(pool.turnsAway('busy')).toBe(false);
    pool.add(running);
    pool.release(busy);
    pool.use(quiet);
    expect(pool.turnsAway('quiet')).toBe(true);
    pool.release(quiet);

    const next = [pool.reserve('busy', never), pool.reserve('quiet', never)];
    pool.remove(running);
    const permit = await next[1];
    vi.advanceTimersByTime(1_200);
    expect(await isPending(next[0] as Promise<Permit>), 'the busy queue polls meanwhile').toBe(true);
    pool.use(permit as Permit);
    expect(pool.turnsAway('quiet')).toBe(false);
  });

  test.each([1, 2, 3, 4, 5, 6])(
    'an agent never runs more jobs than it has slots, restarts included (seed %i)',
    async (seed) => {
      const dice = new Dice(seed);
      const agent = new SimulatedAgent(1 + (seed % 4), ['a', 'b', 'c', 'd', 'e'], dice);
      let most = 0;
      for (let n = 0; n < 3_000; n++) {
        if (dice.chance(0.3)) {
          const queue = dice.pick(['a', 'b', 'c', 'd', 'e']);
          agent.waiting.set(queue, (agent.waiting.get(queue) ?? 0) + 1);
        }
        agent.step();
        await settled();
        if (dice.chance(0.01)) agent.restart();
        if (dice.chance(0.05)) agent.endOrphan();
        most = Math.max(most, agent.jobs.size);
        expect(agent.jobs.size).toBeLessThanOrEqual(agent.maxJobs);
      }
      expect(most).toBe(agent.maxJobs);
      expect(agent.claims.length).toBeGreaterThan(100);
    },
  );

  test.each([
    [1, 10],
    [1, 20],
    [2, 10],
    [3, 5],
  ])(
    'with %i slots and %i queues, a launch is passed by one of each other queue and two a slot at most',
    async (slots, q) => {
      for (let seed = 1; seed <= 30; seed++) {
        const queues = Array.from({ length: q }, (_, i) => `q${i}`);
        const agent = new SimulatedAgent(slots, queues, new Dice(seed));
        for (const queue of queues.slice(1)) agent.waiting.set(queue, Number.POSITIVE_INFINITY);
        for (let n = 0; n < 300; n++) {
          agent.step();
          await settled();
        }
        for (let round = 0; round < 5; round++) {
          const before = agent.claims.length;
          agent.waiting.set('q0', 1);
          for (let n = 0; n < 2_000 && !agent.claims.slice(before).includes('q0'); n++) {
            agent.step();
            await settled();
          }
          const others = agent.claims.slice(before).indexOf('q0');
          expect(others, `seed ${seed}`).not.toBe(-1);
          expect(others, `seed ${seed}`).toBeLessThanOrEqual(q - 1 + 2 * slots);
        }
      }
    },
    120_000,
  );
});
