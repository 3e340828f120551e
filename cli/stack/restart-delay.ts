const firstMs = 100;
const longestMs = 10_000;
const ranWellMs = 30_000;

/** How long to wait before a dead child is started again. */
export const restartDelayMs = {
  /** The n-th death in a row, from 1: 100 ms, doubled each time, at most 10 s. */
  after: (deathsInARow: number): number => Math.min(longestMs, firstMs * 2 ** Math.min(deathsInARow - 1, 20)),
  /** A child that lived this long was well: its next death counts as the first. */
  ranWell: (livedMs: number): boolean => livedMs >= ranWellMs,
};
