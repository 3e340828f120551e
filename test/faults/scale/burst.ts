import type { Stack } from '../../support/stack.js';
import { until } from '../../support/until.js';
import type { LightJob } from './light-job.js';
import type { Accepted } from './load.js';
import type { Observer } from './observer.js';

/** Slots that leaked or doubled show now: more launches than there are slots, and exactly as many run as there are. */
export async function burst(scene: {
  stack: Stack;
  observer: Observer;
  job: LightJob;
  queue: string;
  slots: number;
}): Promise<{ accepted: Accepted[]; evidence: string[] }> {
  const { stack, observer, job, queue, slots } = scene;
  const accepted: Accepted[] = [];
  for (let n = 0; n < slots + 4; n++) {
    const id = await stack.enqueue(queue, job.job, { overrides: { args: ['hold'] } });
    accepted.push({ id, queue, isCancelled: false });
  }
  const stateOfAll = async (): Promise<Record<string, number>> => {
    const rows = await observer.rows<{ state: string; n: number }>(
      `select l.state, count(*)::int as n from launch l join queue q on q.id = l.queue_id where q.name = '${queue}' group by 1`,
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  const evidence: string[] = [];
  await until(async () => (await stateOfAll())['running'] === slots, { what: 'all slots to be filled' }).catch(
    async () => evidence.push(`of ${slots} slots: ${JSON.stringify(await stateOfAll())}`),
  );
  job.release();
  for (const { id } of accepted) await stack.ended(id);
  return { accepted, evidence };
}
