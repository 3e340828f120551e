import type { Death } from './executioner.js';
import type { Observer } from './observer.js';

/** What shows first that a part is at work again: the API answers claims; without the others no launch comes to its recorded end. */
const signs = { server: 'claimed', worker: 'finished', temporal: 'finished' } as const;
export type Part = keyof typeof signs;

/** Milliseconds from each kill of a part to the first work that needs it. A later kill of another part only makes it longer. */
export async function recoveriesAfter(observer: Observer, deaths: readonly Death[]): Promise<Record<Part, number[]>> {
  const events = await observer.rows<{ type: string; atMs: number }>(
    `select type, extract(epoch from at)::float8 * 1000 as "atMs" from launch_event
     where type in ('claimed', 'finished') order by at`,
  );
  const found: Record<Part, number[]> = { server: [], worker: [], temporal: [] };
  for (const { kill, atMs } of deaths) {
    const { victim } = kill;
    if (victim === 'agent' || victim === 'engine') continue;
    // What was under way in that moment may still be written.
    const next = events.find((event) => event.type === signs[victim] && event.atMs > atMs + 100);
    if (next !== undefined) found[victim].push(next.atMs - atMs);
  }
  return found;
}
