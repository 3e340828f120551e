import type { Connected } from '../connect.js';
import { DavitError } from '../../domain/errors.js';
import type { StartRange, TopSnapshot } from './snapshot.js';

/** Where snapshots come from: one request each, and estimates of the launches that are seen, which cost more and change slowly. */
export interface TopSource {
  /** `signal`: somebody leaves; a request that hangs must not keep the process. */
  next(limit: number, signal?: AbortSignal): Promise<TopSnapshot>;
  /** Estimates of these launches, unless they are fresh. The next snapshot has them. */
  estimate(launchIds: readonly string[], signal?: AbortSignal): Promise<void>;
}

export interface Watched {
  /** Undefined: all that the key may see. */
  entity?: string;
  queue?: { entity: string; name: string };
}

const never = new AbortController().signal;
const estimateAgeMs = 10_000;
/** At once; a screen is a few dozen rows. */
const estimatesAtOnce = 4;

export function topSource(api: Connected, { entity, queue }: Watched): TopSource {
  const estimates = new Map<string, StartRange>();
  const askedAtMs = new Map<string, number>();
  return {
    async next(limit, signal = never) {
      if (queue === undefined) {
        const { data } = await api.client.GET('/lines', {
          params: { query: entity === undefined ? {} : { entity } },
          signal,
        });
        return { kind: 'all', lines: present(data) };
      }
      const { data } = await api.client.GET('/queues/{entity}/{queue}/line', {
        params: { path: { entity: queue.entity, queue: queue.name }, query: { limit: String(limit) } },
        signal,
      });
      const line = present(data);
      const there = new Set(line.next.map(({ id }) => id));
      for (const id of [...askedAtMs.keys()]) if (!there.has(id)) forget(id);
      return { kind: 'one', line, estimates };
    },
    async estimate(launchIds, signal = never) {
      const due = launchIds.filter((id) => Date.now() - (askedAtMs.get(id) ?? 0) > estimateAgeMs);
      const ask = async () => {
        for (let id = due.shift(); id !== undefined; id = due.shift()) {
          askedAtMs.set(id, Date.now());
          const range = await estimateOf(api, id, signal);
          if (range === undefined) estimates.delete(id);
          else estimates.set(id, range);
        }
      };
      await Promise.all(Array.from({ length: estimatesAtOnce }, ask));
    },
  };

  function forget(id: string): void {
    askedAtMs.delete(id);
    estimates.delete(id);
  }
}

/** None when there can be none, or when the launch was taken meanwhile: the view is about the line, not about this. */
async function estimateOf(api: Connected, id: string, signal: AbortSignal): Promise<StartRange | undefined> {
  try {
    const { data } = await api.client.GET('/launches/{id}/waiting', { params: { path: { id } }, signal });
    return data?.estimate ?? undefined;
  } catch {
    return undefined;
  }
}

function present<T>(data: T | undefined): T {
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return data;
}
