import type { Death } from './executioner.js';
import type { Observer } from './observer.js';

export interface Adoption {
  launchId: string;
  agent: string;
  ms: number;
  /** Nothing else was killed between the kill and the adoption. */
  isUndisturbed: boolean;
}

interface Told {
  id: string;
  type: string;
  writer: string;
  agent: string | null;
  atMs: number;
}

/** Jobs that ran when their agent was killed: how long until somebody else reported on them. Who takes a job over says anew that it runs. */
export async function adoptionsAfter(observer: Observer, deaths: readonly Death[]): Promise<Adoption[]> {
  const events = await observer.rows<Told>(
    `select e.launch_id as id, e.type, e.writer, a.name as agent, extract(epoch from e.at)::float8 * 1000 as "atMs"
     from launch_event e join launch l on l.id = e.launch_id left join agent a on a.id = l.agent_id
     where e.type in ('running', 'finished', 'failed', 'stopped') order by e.launch_id, e.at`,
  );
  const storyOf = new Map<string, Told[]>();
  for (const event of events) storyOf.set(event.id, [...(storyOf.get(event.id) ?? []), event]);
  const kills = deaths.filter(({ agent, frozen }) => agent !== undefined && !frozen);
  const found: Adoption[] = [];
  for (const [launchId, story] of storyOf) {
    // The agent's own first word; later ones are of who adopted it.
    const [first, ...later] = story;
    if (first?.type !== 'running') continue;
    const kill = kills.find(({ agent, atMs }) => agent === first.agent && atMs > first.atMs);
    const next = later.find(({ atMs }) => kill !== undefined && atMs > kill.atMs);
    const endedBefore = later.some(({ type, atMs }) => type !== 'running' && kill !== undefined && atMs <= kill.atMs);
    if (kill === undefined || next?.type !== 'running' || endedBefore) continue;
    const isUndisturbed = !deaths.some(({ atMs }) => atMs > kill.atMs && atMs < next.atMs);
    found.push({ launchId, agent: first.agent ?? '', ms: next.atMs - kill.atMs, isUndisturbed });
  }
  return found;
}
