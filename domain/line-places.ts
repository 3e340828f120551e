import type { BeforeResume, Replay, RunProcess } from './run-processes.js';

/**
 * Where the lines of a process are put. Clients address lines by number, but not all of them by the numbers of the run: some count from 0
 * after a resume, and processes that share a run each count their own.
 */

/** Lines as a process sent them, or as they are put. */
export interface LineBlock {
  offset: number;
  lines: readonly string[];
}

/** `base`: lines that were there when the present process began; `shift`: what is added to its numbers, null = not yet known. */
export interface LineBase {
  base: number;
  shift: number | null;
}
export interface LineBases {
  log?: LineBase;
  events?: LineBase;
  /** Those of the present life: domain/run-processes.ts. */
  processes?: RunProcess[];
  /** What the process that resumed last found. */
  before?: BeforeResume;
  replay?: Replay;
  /** After a fork or a rewind: the client does not know what the summary had, so those values stay until it says others. */
  inherits?: true;
}

/**
 * After a resume: a client that knows of the earlier lines goes on behind them; one that does not begins at 0. Its first line tells, because
 * no process rewrites what another one has printed.
 */
export function shiftOf(base: LineBase | undefined, offset: number): number {
  if (!base || base.base === 0) return 0;
  return base.shift ?? (offset < base.base ? base.base : 0);
}

/** A stretch of a writer's lines: [its own number, the run's number, how many]. In order of its own numbers. */
export type WriterStretch = [own: number, place: number, count: number];
export type WriterLines = Partial<Record<string, WriterStretch[]>>;

/** Of a writer that takes turns with others for weeks only the newest stretches are kept: a line before them is not written again. */
const keptStretches = 200;

/**
 * Lines of one of several writers: those it has sent before stay in their places (a repeated or rewritten line), all others are put behind what
 * the run has. `end`: how many lines the run has.
 */
export function placeBlock(
  known: readonly WriterStretch[],
  block: LineBlock,
  end: number,
): { stretches: WriterStretch[]; blocks: LineBlock[]; end: number } {
  const stretches = known.map((s): WriterStretch => [...s]);
  const blocks: LineBlock[] = [];
  let next = end;
  let at = 0;
  while (at < block.lines.length) {
    const own = block.offset + at;
    const first = stretches[0]?.[0] ?? 0;
    if (own < first) {
      at += first - own;
      continue;
    }
    const inside = stretches.find(([from, , count]) => own >= from && own < from + count);
    const following = stretches.find(([from]) => from > own)?.[0] ?? Infinity;
    const count = Math.min(block.lines.length - at, (inside ? inside[0] + inside[2] : following) - own);
    const lines = block.lines.slice(at, at + count);
    if (inside) {
      blocks.push({ offset: inside[1] + own - inside[0], lines });
    } else {
      blocks.push({ offset: next, lines });
      insert(stretches, [own, next, count]);
      next += count;
    }
    at += count;
  }
  return { stretches: stretches.slice(-keptStretches), blocks, end: next };
}

/** Next to the stretch that it continues, or as one of its own. */
function insert(stretches: WriterStretch[], [own, place, count]: WriterStretch): void {
  const before = stretches.findLast(([from]) => from < own);
  if (before && before[0] + before[2] === own && before[1] + before[2] === place) before[2] += count;
  else {
    stretches.push([own, place, count]);
    stretches.sort((a, b) => a[0] - b[0]);
  }
}
