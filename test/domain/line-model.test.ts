import { describe, expect, test } from 'vitest';
import { countRunning, isEligible, launchesOf, pickNext } from '../../domain/line-model/pick-next.js';
import { protocol, type Protocol } from '../../domain/line-model/protocol.js';
import type { LaunchRow, Lines, QueueRow } from '../../domain/line-model/rows.js';
import type { Rule } from '../../domain/line-model/rules.js';
import { replay, simulate } from '../../domain/line-model/simulate.js';
import { storyOf } from '../../domain/line-model/story.js';

const filtered = (lines: Lines, keep: (row: LaunchRow) => boolean): Lines => ({
  ...lines,
  launches: new Map([...lines.launches].filter(([, row]) => keep(row))),
});
const withRows = (lines: Lines, change: (row: LaunchRow) => LaunchRow): Lines => ({
  ...lines,
  launches: new Map([...lines.launches].map(([id, row]) => [id, change(row)])),
});

const withQueues = (lines: Lines, over: Partial<QueueRow>): Lines => ({
  ...lines,
  queues: new Map([...lines.queues].map(([id, row]) => [id, { ...row, ...over }])),
});

/** Ways in which the protocol could be wrong, and the rule that must find each of them out. */
const mutants: { what: string; rules: readonly Rule[]; change: Partial<Protocol> }[] = [
  {
    what: 'forgets the fence: any claim of the launch is as good as its present one',
    rules: ['one live claim'],
    change: { isFenced: (launch) => launch.claim === null },
  },
  {
    what: 'picks from a snapshot that is older than the lock',
    rules: ['order'],
    change: {
      pickNext: (lines, queue, labels) =>
        pickNext(
          filtered(lines, ({ queuedAt }) => queuedAt < lines.now - 1),
          queue,
          labels,
        ),
    },
  },
  {
    what: 'counts a place for holders that are dead',
    rules: ['no starvation', 'quiet', 'order'],
    change: {
      pickNext(lines, queue, labels) {
        const leaking = withRows(lines, (row) =>
          row.state === 'queued' && row.epoch > 1 ? { ...row, state: 'claimed', id: `${row.id} leaked` } : row,
        );
        const next = pickNext(leaking, queue, labels);
        const row = lines.queues.get(queue);
        if (next || !row) return next;
        const first = pickNext(lines, queue, labels);
        const running = countRunning(launchesOf(leaking, queue));
        return first && isEligible(first, row, running, labels) ? first : undefined;
      },
    },
  },
  {
    what: 'does not count claims that nobody has confirmed yet',
    rules: ['limits', 'order'],
    change: {
      pickNext: (lines, queue, labels) =>
        pickNext(
          filtered(lines, ({ state }) => state !== 'claimed'),
          queue,
          labels,
        ),
    },
  },
  {
    what: 'gives back to the tail',
    rules: ['place'],
    change: {
      backInLine: (launch, lines) => ({ ...protocol.backInLine(launch, lines), rank: (lines.ranks + 1) * 2 ** 20 }),
    },
  },
  {
    what: 'frees a slot twice',
    rules: ['slots'],
    change: {
      letGo(process, claim) {
        const after = protocol.letGo(process, claim);
        return { ...after, held: Math.max(0, after.held - 1) };
      },
    },
  },
  {
    what: 'forgets at its start what it has at the target',
    rules: ['slots'],
    change: { countsEarlier: 'nothing' },
  },
  {
    what: 'forgets at its start what the target was asked for and has not made yet',
    rules: ['slots'],
    change: { countsEarlier: 'jobs' },
  },
  {
    what: 'creates again what is there',
    rules: ['started once'],
    change: { adopts: false },
  },
  {
    what: 'takes "not found" for final without closing the name',
    rules: ['started once'],
    change: { closesNames: false },
  },
  {
    what: 'puts a launch back that somebody has stopped',
    rules: ['nothing is lost'],
    change: { backInLine: (launch, lines) => ({ ...protocol.backInLine(launch, lines), state: 'queued' }) },
  },
  {
    what: 'hands out of a paused queue',
    rules: ['order'],
    change: {
      isPaused: () => false,
      pickNext: (lines, queue, labels) => pickNext(withQueues(lines, { paused: false }), queue, labels),
    },
  },
  {
    what: 'hands out what is held',
    rules: ['order'],
    change: {
      pickNext: (lines, queue, labels) =>
        pickNext(
          withRows(lines, (row) => ({ ...row, hold: null })),
          queue,
          labels,
        ),
    },
  },
  {
    what: 'forgets the weights of projects',
    rules: ['order'],
    change: {
      pickNext: (lines, queue, labels) => pickNext(withQueues(lines, { projects: {} }), queue, labels),
    },
  },
  {
    what: 'never gets round to launches that require labels',
    rules: ['no starvation', 'order'],
    change: {
      pickNext: (lines, queue, labels) =>
        pickNext(
          filtered(lines, ({ requires }) => Object.keys(requires).length === 0),
          queue,
          labels,
        ),
    },
  },
];

describe('the model of the line', () => {
  test.each([1, 2, 3])('keeps every rule through thousands of random steps (seed %i)', (seed) => {
    const result = simulate(seed, 4_000);
    expect(result.failure && storyOf(protocol, result.failure).join('\n')).toBeUndefined();
    expect(result.steps).toBe(4_000);
  });

  test('the same seed gives the same histories', () => {
    const { failure: _, ...first } = simulate(42, 2_000);
    expect(simulate(42, 2_000)).toEqual(first);
  });

  test('a random run gets everywhere: every kind of step happens', () => {
    const { byKind } = simulate(7, 12_000);
    const kinds = Object.keys(byKind);
    expect(kinds).toEqual(
      expect.arrayContaining(['watch', 'kill', 'job-preempted', 'late-call', 'temporal-data-lost']),
    );
    expect(kinds.length).toBeGreaterThan(48);
  });
});

describe('a line that', () => {
  test.each(mutants)('$what is found out, and its story is short', ({ rules, change }) => {
    const broken = { ...protocol, ...change };
    const { failure, steps } = simulate(1, 60_000, broken);
    if (!failure) throw new Error(`not found out in ${steps} steps`);
    expect(rules).toContain(failure.rule);
    expect(failure.history.length).toBeLessThanOrEqual(25);
    // The history is the whole truth: played again, it breaks the same rule, and no step of it can be spared.
    expect(replay(broken, failure.opening, failure.history)?.rule).toBe(failure.rule);
    for (const n of failure.history.keys()) {
      const without = failure.history.filter((_, i) => i !== n);
      expect(replay(broken, failure.opening, without)?.rule).not.toBe(failure.rule);
    }
    expect(storyOf(broken, failure).at(-1)).toContain(failure.rule);
  });
});
