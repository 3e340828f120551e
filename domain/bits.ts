/** Which of the first `size` numbers are in a set: a bit each, the lowest bit of the first byte first. Undefined = all of them. */
export type Bits = Uint8Array | undefined;

export const emptyBits = (size: number): Uint8Array => new Uint8Array(Math.ceil(size / 8));

export function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
}

export const hasBit = (bits: Bits, at: number): boolean =>
  bits === undefined || (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;

/** The numbers below `size` that are in every set, in order. */
export function commonBits(size: number, sets: readonly Bits[]): number[] {
  const common: number[] = [];
  for (let at = 0; at < size; at++) if (sets.every((bits) => hasBit(bits, at))) common.push(at);
  return common;
}

/** How many there are below `at`. */
export function rankOf(bits: Bits, at: number): number {
  if (bits === undefined) return at;
  let rank = 0;
  for (let byte = 0; byte < at >> 3; byte++) rank += ones(bits[byte] ?? 0);
  return rank + ones((bits[at >> 3] ?? 0) & ((1 << (at & 7)) - 1));
}

function ones(byte: number): number {
  let n = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) n++;
  return n;
}
