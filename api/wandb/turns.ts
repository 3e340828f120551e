import type { RequestFacts } from './context.js';

/**
 * Connections that one request may hold at once. Resolvers of a page run side by side: a page of a hundred curves would take every connection of
 * the pool, and its last ones would wait for theirs until they give up.
 */
const mostAtOnce = 4;

interface Line {
  busy: number;
  waiting: (() => void)[];
}
const lines = new WeakMap<RequestFacts, Line>();

/** Does the work when fewer than that many others of the same request are at theirs; the others wait in order. */
export async function inTurn<T>(request: RequestFacts, work: () => Promise<T>): Promise<T> {
  const line = lines.get(request) ?? { busy: 0, waiting: [] };
  lines.set(request, line);
  if (line.busy >= mostAtOnce) await new Promise<void>((resolve) => line.waiting.push(resolve));
  else line.busy++;
  try {
    return await work();
  } finally {
    // Whoever is next takes the place over, so that nobody new slips in between.
    const next = line.waiting.shift();
    if (next) next();
    else line.busy--;
  }
}
