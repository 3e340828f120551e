import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CountingJob } from '../support/counting-job.js';
import type { HandAgent } from '../support/hand-agent.js';
import { numbersFrom } from '../support/random.js';
import { faultSeed as seed } from '../support/seed.js';
import { parts, patiently, Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell, type Outcome } from './support/all-well.js';

/** DAVIT_FAULT_SECONDS=3600 and DAVIT_FAULT_SEED=random to search longer; a seed repeats the choices, not the machine's timing. */
const seconds = Number(process.env['DAVIT_FAULT_SECONDS'] ?? 70);
const slots = 2;

const victims = [...parts, 'second agent', 'freeze'] as const;
const priorities = ['critical', 'high', 'medium', 'low'] as const;

let stack: Stack;
let job: CountingJob;
beforeAll(async () => {
  stack = await Stack.start({ maxJobs: slots });
  job = await CountingJob.make(stack);
  await stack.queue('storm');
  stack.keepAgent('second', { maxJobs: slots });
  await until(() => stack.pidOfAgent('second'), { what: 'the second agent' });
});
afterAll(() => stack.stop());

const secondAgent = (): HandAgent => {
  const agent = stack.agentByHand('second');
  if (agent === undefined || agent.isOver) throw new Error('it is down already');
  return agent;
};

/** Long enough to be given up by everybody, and then it goes on as if nothing had been. Nobody waits for it. */
function freezeSecondAgent(ms: number): void {
  const agent = secondAgent();
  process.kill(agent.pid, 'SIGSTOP');
  void wait(ms).then(() => {
    // Killed in the meantime, perhaps, and nobody started in its place yet.
    if (!agent.isOver) process.kill(agent.pid, 'SIGCONT');
  });
}

test(
  `random kills of every part cost nothing but time (seed ${seed}, ${seconds} s)`,
  { timeout: (seconds + 600) * 1000 },
  async () => {
    console.log(`random kills: DAVIT_FAULT_SEED=${seed} DAVIT_FAULT_SECONDS=${seconds}`);
    const endMs = Date.now() + seconds * 1000;
    const outcomes: Outcome[] = [];
    const kills: string[] = [];
    const cancels: Promise<unknown>[] = [];

    async function enqueueAll(): Promise<void> {
      const random = numbersFrom(seed);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      for (let n = 0; Date.now() < endMs; n++) {
        const lines = 10 + Math.floor(random() * 120);
        const priority = pick(priorities);
        const isCancelled = random() < 0.1;
        const waitMs = random() * 1_400;
        const id = await job.enqueue('storm', { lines }, { priority }, `storm-${seed}-${n}`);
        // The client has forgotten that it was answered.
        if (n % 7 === 0) expect(await job.enqueue('storm', { lines }, { priority }, `storm-${seed}-${n}`)).toBe(id);
        if (isCancelled) {
          const cancel = patiently(() => stack.cancel(id));
          cancels.push(cancel);
          // It is awaited at the end; until then nobody listens.
          cancel.catch(() => undefined);
        }
        outcomes.push({ id, orStopped: isCancelled });
        await wait(waitMs);
      }
    }

    async function killAll(): Promise<void> {
      const random = numbersFrom(seed + 1);
      while (Date.now() < endMs) {
        await wait(1_500 + random() * 3_500);
        const victim = victims[Math.floor(random() * victims.length)] ?? 'server';
        try {
          if (victim === 'second agent') await stack.agentByHand('second')?.kill();
          else if (victim === 'freeze') freezeSecondAgent(4_000 + random() * 16_000);
          else stack.kill(victim);
          kills.push(victim);
        } catch {
          // It is down already.
        }
      }
    }

    await Promise.all([enqueueAll(), killAll()]);
    await Promise.all(cancels);
    console.log(`${outcomes.length} launches, ${kills.length} kills: ${kills.join(', ')}`);
    await expectAllWell(stack, job, 'storm', outcomes, { ms: 180_000, faults: kills.length });
    await until(
      async () => (await Promise.all(['first', 'second'].map((name) => stack.pidOfAgent(name)))).every(Boolean),
      {
        what: 'both agents to be at work',
        ms: 120_000,
      },
    );
    await expectAllSlotsFree(stack, job, 'storm', 2 * slots);
  },
);
