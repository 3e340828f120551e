import { setTimeout as wait } from 'node:timers/promises';
import { createDavitClient, type DavitClient } from '../../../client/index.js';
import type { Dice } from '../../support/random.js';
import { patiently, type Stack } from '../../support/stack.js';
import type { LightJob } from './light-job.js';

export interface Accepted {
  id: string;
  queue: string;
  /** Somebody asked for its end: it may have been stopped at any point. */
  isCancelled: boolean;
}

const priorities = ['critical', 'high', 'medium', 'low'] as const;
/** The server's limit of requests is far above; this is what two cores can take beside everything else. */
const clients = 4;

/** Clients that enqueue launches, each under an Idempotency-Key, and ask again until they are answered. */
export class Load {
  readonly accepted: Accepted[] = [];
  private asked = 0;
  private readonly client: DavitClient;

  constructor(
    private readonly options: {
      stack: Stack;
      job: LightJob;
      dice: Dice;
      queues: readonly [string, ...string[]];
      /** Through the proxy, so that the API can be killed while it accepts. */
      url: string;
      seed: number;
      /** Jobs that are still running when others of their agent's have long ended: the ones that are adopted. */
      long: { share: number; leastSeconds: number; mostSeconds: number };
    },
  ) {
    this.client = createDavitClient({ baseUrl: options.url, apiKey: options.stack.userKey });
  }

  /** Until `next` says that it is enough. It says for each launch whether it is to come now. */
  async run(next: () => 'now' | 'later' | 'enough'): Promise<void> {
    const one = async (): Promise<void> => {
      for (;;) {
        const answer = next();
        if (answer === 'enough') return;
        if (answer === 'now') await this.enqueue();
        else await wait(50);
      }
    };
    await Promise.all(Array.from({ length: clients }, one));
  }

  /** How many were asked for, answered or not. */
  get begun(): number {
    return this.asked;
  }

  private async enqueue(): Promise<void> {
    const { dice, queues, job, seed, stack, long } = this.options;
    const n = this.asked++;
    const queue = dice.pick(queues);
    const isLong = dice.chance(long.share);
    const seconds = isLong ? Math.round(dice.between(long.leastSeconds, long.mostSeconds)) : dice.chance(0.3) ? 0.5 : 0;
    const isCancelled = dice.chance(0.03);
    const body = { queue, job: job.job, priority: dice.pick(priorities), overrides: { args: [String(seconds)] } };
    const send = async (): Promise<string> => {
      const { data } = await this.client.POST('/launches', {
        body,
        headers: { 'Idempotency-Key': `scale-${seed}-${n}` },
      });
      if (!data || !('id' in data)) throw new Error('no answer');
      return data.id;
    };
    const id = await patiently(send);
    // The client has forgotten that it was answered.
    if (n % 25 === 0 && (await patiently(send)) !== id) throw new Error(`launch ${id} was accepted twice`);
    this.accepted.push({ id, queue, isCancelled });
    if (isCancelled) void patiently(() => stack.cancel(id)).catch(() => undefined);
  }
}
