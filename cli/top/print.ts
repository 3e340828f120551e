import { exitCodes } from '../output/exit-codes.js';
import type { Output } from '../output/output.js';
import { isTerminal } from '../output/terminal.js';
import { pause } from '../wait-for.js';
import { renderTop } from './render.js';
import type { TopSnapshot } from './snapshot.js';
import type { TopSource } from './source.js';

/** The live view for what is no terminal: one picture, or JSON lines. */

const printedLaunches = 200;
/** Of so many at the front of the line; each costs the API some work. */
const estimated = 20;

export async function printTop(source: TopSource, from: string, out: Output): Promise<void> {
  const snapshot = await withEstimates(source);
  const columns = isTerminal(process.stdout) ? process.stdout.columns : Number(process.env['COLUMNS'] ?? '');
  const { lines } = renderTop(snapshot, {
    // In a file or a pipe nothing is cut: whoever reads it there searches in it.
    columns: columns > 0 ? columns : Infinity,
    offset: 0,
    frozen: false,
    from,
    colors: out.colors,
  });
  out.write(lines.join('\n'));
}

/** Until a signal; undefined: once. */
export async function streamTop(source: TopSource, out: Output, intervalMs: number | undefined): Promise<number> {
  const left = new AbortController();
  const leave = () => left.abort();
  if (intervalMs !== undefined) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave);
  do {
    out.line(documentOf(await withEstimates(source)), () => '');
    if (intervalMs === undefined) return exitCodes.ok;
    await pause(intervalMs, left.signal);
  } while (!left.signal.aborted);
  return exitCodes.interrupted;
}

async function withEstimates(source: TopSource): Promise<TopSnapshot> {
  const snapshot = await source.next(printedLaunches);
  if (snapshot.kind === 'one') await source.estimate(snapshot.line.next.slice(0, estimated).map(({ id }) => id));
  return snapshot;
}

function documentOf(snapshot: TopSnapshot): unknown {
  if (snapshot.kind === 'all') return snapshot.lines;
  const { next, ...rest } = snapshot.line;
  return { ...rest, next: next.map((one) => ({ ...one, estimate: snapshot.estimates.get(one.id) ?? null })) };
}
