import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { needsPast, startRange, type EstimateInput, type Room } from '../../domain/estimate.js';

const arbitraryPast = fc.array(fc.integer({ min: 1, max: 3_600_000 }), { minLength: 5, maxLength: 60 });
const arbitraryInput = fc
  .record({
    pastMs: arbitraryPast,
    heldMs: fc.array(fc.integer({ min: 0, max: 7_200_000 }), { maxLength: 6 }),
    capacity: fc.integer({ min: 1, max: 8 }),
    ahead: fc.integer({ min: 0, max: 900 }),
    queues: fc.integer({ min: 0, max: 3 }),
    waiting: fc.integer({ min: 0, max: 50 }),
    notBeforeMs: fc.integer({ min: 0, max: 10_000 }),
    seed: fc.integer(),
  })
  .map(
    ({ pastMs, heldMs, capacity, ahead, queues, waiting, notBeforeMs, seed }): EstimateInput & { rooms: [Room] } => ({
      pastMs,
      heldMs,
      rooms: [{ capacity, holders: heldMs.map((_, place) => place), ahead, shared: true }],
      others: { queues, waiting },
      notBeforeMs,
      seed,
    }),
  );
const withRoom = (input: EstimateInput & { rooms: [Room] }, change: Partial<Room>): EstimateInput => ({
  ...input,
  rooms: [{ ...input.rooms[0], ...change }],
});

describe('an estimate', () => {
  test('is the same for the same seed, and a range that begins before it ends', () => {
    fc.assert(
      fc.property(arbitraryInput, (input) => {
        const range = startRange(input);
        expect(startRange(input)).toEqual(range);
        expect(range.earliestMs).toBeGreaterThanOrEqual(0);
        expect(range.latestMs).toBeGreaterThan(range.earliestMs);
        expect(range.latestMs).toBeGreaterThanOrEqual(input.notBeforeMs);
      }),
      { numRuns: 60 },
    );
  });

  test('never comes sooner for who stands further behind', () => {
    fc.assert(
      fc.property(arbitraryInput, fc.integer({ min: 1, max: 600 }), (input, more) => {
        const near = startRange(input);
        const far = startRange(withRoom(input, { ahead: input.rooms[0].ahead + more }));
        expect(far.earliestMs).toBeGreaterThanOrEqual(near.earliestMs);
        expect(far.latestMs).toBeGreaterThanOrEqual(near.latestMs);
      }),
      { numRuns: 60 },
    );
  });

  test('never comes later with more slots', () => {
    fc.assert(
      fc.property(arbitraryInput, fc.integer({ min: 1, max: 8 }), (input, more) => {
        const few = startRange(input);
        const many = startRange(withRoom(input, { capacity: input.rooms[0].capacity + more }));
        expect(many.earliestMs).toBeLessThanOrEqual(few.earliestMs);
        expect(many.latestMs).toBeLessThanOrEqual(few.latestMs);
      }),
      { numRuns: 60 },
    );
  });

  test('is never sooner with one more limit to pass', () => {
    fc.assert(
      fc.property(arbitraryInput, fc.integer({ min: 1, max: 8 }), (input, limit) => {
        const free = startRange(input);
        const limited = startRange({
          ...input,
          rooms: [...input.rooms, { ...input.rooms[0], capacity: limit, shared: false }],
        });
        expect(limited.earliestMs).toBeGreaterThanOrEqual(free.earliestMs);
        expect(limited.latestMs).toBeGreaterThanOrEqual(free.latestMs);
      }),
      { numRuns: 60 },
    );
  });

  test('needs no past where there is room for all, and says now', () => {
    const input: EstimateInput = {
      pastMs: [],
      heldMs: [5_000],
      rooms: [{ capacity: 4, holders: [0], ahead: 2, shared: true }],
      others: { queues: 0, waiting: 0 },
      notBeforeMs: 0,
      seed: 1,
    };
    expect(needsPast(input)).toBe(false);
    expect(startRange(input)).toEqual({ earliestMs: 0, latestMs: 1_000 });
    expect(needsPast({ ...input, rooms: [{ capacity: 4, holders: [0], ahead: 3, shared: true }] })).toBe(true);
    expect(needsPast({ ...input, rooms: [{ capacity: Infinity, holders: [0], ahead: 9, shared: true }] })).toBe(false);
  });

  test('of jobs that always take a minute is where the arithmetic puts it', () => {
    const range = startRange({
      pastMs: new Array<number>(50).fill(60_000),
      heldMs: [0, 30_000],
      rooms: [{ capacity: 2, holders: [0, 1], ahead: 3, shared: true }],
      others: { queues: 0, waiting: 0 },
      notBeforeMs: 0,
      seed: 7,
    });
    // Slots free at 30 s and 60 s; three go in before, at 30, 60 and 90 s; the next room is at 120 s.
    expect(range.earliestMs).toBeGreaterThanOrEqual(120_000);
    expect(range.latestMs).toBeLessThan(122_000);
  });

  test('holds about eight of ten true starts when the durations are drawn from the past', () => {
    let state = 12345;
    const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
    // Skewed, as training jobs are.
    const draw = () => Math.exp(random() + random() + random() + random() - 2) * 60_000;
    const pastMs = Array.from({ length: 200 }, draw);
    let right = 0;
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      const ahead = Math.floor(random() * 20);
      const ends = [draw(), draw(), draw()];
      const heldMs = ends.map((ms) => ms * random());
      const free = ends.map((ms, i) => ms - (heldMs[i] ?? 0));
      for (let n = 0; n < ahead; n++) {
        free.sort((a, b) => a - b);
        free[0] = (free[0] ?? 0) + draw();
      }
      const start = Math.min(...free);
      const range = startRange({
        pastMs,
        heldMs,
        rooms: [{ capacity: 3, holders: [0, 1, 2], ahead, shared: true }],
        others: { queues: 0, waiting: 0 },
        notBeforeMs: 0,
        seed: round,
      });
      if (range.earliestMs <= start && start <= range.latestMs) right++;
    }
    expect(right / rounds).toBeGreaterThan(0.68);
    expect(right / rounds).toBeLessThan(0.95);
  });
});
