/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Choices that a seed repeats. */
export class Dice {
  private readonly next: () => number;
  constructor(seed: number) {
    this.next = numbersFrom(seed);
  }
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }
  chance(share: number): boolean {
    return this.next() < share;
  }
  pick<T>(from: readonly [T, ...T[]]): T {
    return from[Math.floor(this.next() * from.length)] ?? from[0];
  }
  shuffled<T>(from: readonly T[]): T[] {
    const keyed = from.map((value) => ({ value, key: this.next() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }
}
