import { slotsAt } from './waiting.js';
import { agentsFor } from './waiting-agents.js';
import { heldMsOf, type WaitingFacts } from './waiting-facts.js';

/**
 * When a launch will be taken, as a range: the line is played through many times with durations drawn from the past, and the range holds the
 * middle 80 % of the outcomes. Pure, and the same for the same seed.
 *
 * What it supposes: jobs take as long as the last ones did, nobody moves launches or comes in with a higher priority, agents stay as they are.
 */
export interface EstimateInput {
  /** How long launches held their slot, from claim to end. */
  pastMs: readonly number[];
  /** How long those that hold a slot now have held it. */
  heldMs: readonly number[];
  /** It is taken when there is room in each of them: slots of agents, limit of the queue, limit of the project. */
  rooms: readonly Room[];
  /** Other queues that want the same slots. */
  others: { queues: number; waiting: number };
  /** Not before it is released. */
  notBeforeMs: number;
  seed: number;
}

export interface Room {
  /** Infinity: no limit. */
  capacity: number;
  /** Places in `heldMs`: who is in it now. */
  holders: readonly number[];
  /** Launches that go in before. */
  ahead: number;
  /** Do other queues' launches go in, too? */
  shared: boolean;
}

export interface StartRange {
  earliestMs: number;
  latestMs: number;
}

const trials = 120;
/** One by one; what stands behind is reckoned by the mean, whose own uncertainty outweighs all else there. */
const playedLaunches = 400;
/** From the end of one launch to the claim of the next. */
const turnoverMs = 50;
/** A line that has room hands out within this: tickets, polls, and the sweep that makes up for a lost note. */
const handOverMs = 1_000;

/** Does the answer depend on how long launches take? Not when there is room for it and all before it. */
export const needsPast = (input: Pick<EstimateInput, 'rooms' | 'others'>): boolean =>
  input.rooms.some(
    ({ capacity, holders, ahead, shared }) =>
      capacity - holders.length <= ahead + (shared ? input.others.waiting : 0) && capacity !== Infinity,
  );

export function startRange(input: EstimateInput): StartRange {
  const past = Float64Array.from(input.pastMs).sort();
  const starts = new Float64Array(trials);
  for (let trial = 0; trial < trials; trial++) {
    const random = numbers(input.seed + trial * 0x9e3779b9);
    // Few past launches say little: a resample of them each time makes the range as wide as that deserves.
    const pool = resample(past, random);
    const mean = pool.length === 0 ? 0 : pool.reduce((sum, ms) => sum + ms, 0) / pool.length;
    const leftMs = input.heldMs.map((ms) => remaining(pool, ms, random()) + turnoverMs);
    const shareDraw = random();
    const jobSeed = Math.floor(random() * 2 ** 31);
    let start = input.notBeforeMs;
    for (const room of input.rooms) {
      const between = room.shared
        ? Math.min(input.others.waiting, Math.floor(input.others.queues * (room.ahead + shareDraw)))
        : 0;
      // The same durations in every room: the launches ahead are the same ones.
      start = Math.max(start, roomFreeMs(room, room.ahead + between, leftMs, pool, mean, numbers(jobSeed)));
    }
    starts[trial] = start;
  }
  starts.sort();
  return {
    earliestMs: Math.floor(quantile(starts, 0.1)),
    latestMs: Math.ceil(quantile(starts, 0.9) + handOverMs),
  };
}

/** When there is room after `ahead` launches went in, one after the other, each as soon as there is room. */
function roomFreeMs(
  room: Room,
  ahead: number,
  leftMs: readonly number[],
  pool: Float64Array,
  mean: number,
  random: () => number,
): number {
  const { capacity, holders } = room;
  if (capacity === Infinity) return 0;
  const ends = holders.map((place) => leftMs[place] ?? 0).sort((a, b) => a - b);
  const free = capacity - ends.length;
  if (ahead < free) return 0;
  // More hold slots than there are (a limit was lowered): the first to end make no room.
  const times = new Heap(free > 0 ? [...new Array<number>(free).fill(0), ...ends] : ends.slice(-free));
  const played = Math.min(ahead, playedLaunches);
  for (let n = 0; n < played; n++) {
    const duration = pool[Math.floor(random() * pool.length)] ?? 0;
    times.replaceLeast(times.least() + duration + turnoverMs);
  }
  return times.least() + ((ahead - played) * (mean + turnoverMs)) / capacity;
}

/** As many values of the sorted ones, each drawn anew; sorted again by counting. */
function resample(sorted: Float64Array, random: () => number): Float64Array {
  const times = new Uint16Array(sorted.length);
  for (let n = 0; n < sorted.length; n++) {
    const place = Math.floor(random() * sorted.length);
    times[place] = (times[place] ?? 0) + 1;
  }
  const drawn = new Float64Array(sorted.length);
  let end = 0;
  for (const [place, value] of sorted.entries()) {
    drawn.fill(value, end, (end += times[place] ?? 0));
  }
  return drawn;
}

/** What is left of a launch that has held its slot for so long: as of those in the pool that took longer. */
function remaining(pool: Float64Array, heldMs: number, draw: number): number {
  let low = 0;
  let high = pool.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pool[middle] ?? 0) > heldMs) high = middle;
    else low = middle + 1;
  }
  const longer = pool.length - low;
  // Longer than anything seen: what has lasted long lasts about as long again.
  if (longer === 0) return heldMs * draw;
  return (pool[low + Math.floor(draw * longer)] ?? heldMs) - heldMs;
}

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

/** Least first, of fixed size. */
class Heap {
  constructor(private readonly items: number[]) {
    this.items.sort((a, b) => a - b);
  }
  least(): number {
    return this.items[0] ?? 0;
  }
  replaceLeast(value: number): void {
    const { items } = this;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= items.length) break;
      const child = (items[left + 1] ?? Infinity) < (items[left] ?? Infinity) ? left + 1 : left;
      const below = items[child] ?? Infinity;
      if (below >= value) break;
      items[place] = below;
      place = child;
    }
    items[place] = value;
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of a launch's id: asked twice, it answers the same. */
export const seedOf = (text: string): number =>
  [...text].reduce((hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619), 2166136261) >>> 0;

/** What an estimate can be made from, or in a sentence why there can be none. */
export function estimateInputOf(facts: WaitingFacts, pastMs: readonly number[], seed: number): EstimateInput | string {
  const { launch, queue, project, line, now } = facts;
  if (launch.hold !== null && launch.releaseAt === null) return 'It starts when somebody releases it.';
  if (queue.paused) return 'It starts when the queue is resumed.';
  if (facts.temporalAway) return 'It starts when Temporal is back.';
  const { usable } = agentsFor(facts);
  if (usable.length === 0) return 'It starts when there is an agent that can take it.';
  if (queue.maxRunning === 0 || project.maxRunning === 0) return 'It starts when its limit is above 0.';
  const slots = slotsAt(usable).total ?? Infinity;
  if (slots === 0) return 'It starts when an agent has slots.';
  const ids = new Set(usable.map(({ id }) => id));
  const placesOf = (isIn: (holder: WaitingFacts['holders'][number]) => boolean): number[] =>
    facts.holders.flatMap((holder, place) => (isIn(holder) ? [place] : []));
  const rooms: Room[] = [
    {
      capacity: slots,
      holders: placesOf(({ agentId }) => agentId !== null && ids.has(agentId)),
      ahead: line.ahead,
      shared: true,
    },
  ];
  if (queue.maxRunning !== null)
    rooms.push({
      capacity: queue.maxRunning,
      holders: placesOf(({ queueId }) => queueId === queue.id),
      ahead: line.ahead,
      shared: false,
    });
  if (project.maxRunning !== null)
    rooms.push({
      capacity: project.maxRunning,
      holders: placesOf(({ queueId, projectId }) => queueId === queue.id && projectId === project.id),
      ahead: project.ahead,
      shared: false,
    });
  const input: EstimateInput = {
    pastMs,
    heldMs: facts.holders.map((holder) => heldMsOf(facts, holder)),
    rooms,
    others: facts.others,
    notBeforeMs: launch.releaseAt ? Math.max(0, launch.releaseAt.getTime() - now.getTime()) : 0,
    seed,
  };
  if (needsPast(input) && pastMs.length < leastPast)
    return `The queue has no past to reckon with: ${pastMs.length === 0 ? 'no launch' : `only ${pastMs.length}`} of it or its entity has ended yet.`;
  return input;
}

/** Fewer ended launches than this say nothing. */
export const leastPast = 5;
