import { describe, expect, test } from 'vitest';
import { causesOf, causeCodes, summaryOf, type CauseCode } from '../../domain/waiting.js';
import type { Holder, WaitingAgent, WaitingFacts } from '../../domain/waiting-facts.js';

const now = new Date('2026-05-04T12:00:00Z');
const before = (ms: number) => new Date(now.getTime() - ms);

const agent = (over: Partial<WaitingAgent> = {}): WaitingAgent => ({
  id: 'a1',
  name: 'one',
  labels: {},
  maxJobs: 2,
  used: 0,
  heartbeatAt: before(1_000),
  alive: true,
  stopped: false,
  draining: false,
  wantedBy: null,
  quarantinedAt: null,
  quarantineReason: null,
  mayProbe: false,
  check: { ok: true, details: [] },
  ...over,
});
const holder = (over: Partial<Holder> = {}): Holder => ({
  launchId: 'l1',
  state: 'running',
  agentId: 'a1',
  agent: 'one',
  queueId: 1,
  queue: 'lab/q',
  projectId: 1,
  since: before(60_000),
  ...over,
});
interface Over {
  launch?: Partial<WaitingFacts['launch']>;
  queue?: Partial<WaitingFacts['queue']>;
  project?: Partial<WaitingFacts['project']>;
  line?: Partial<WaitingFacts['line']>;
  agents?: WaitingAgent[];
  elsewhere?: Partial<WaitingFacts['elsewhere']>;
  holders?: Holder[];
  temporalAway?: WaitingFacts['temporalAway'];
}
const facts = (over: Over = {}): WaitingFacts => ({
  now,
  temporalAway: over.temporalAway,
  launch: {
    id: 'me',
    priority: 2,
    requires: {},
    hold: null,
    heldBy: null,
    holdReason: null,
    heldAt: null,
    releaseAt: null,
    losses: [],
    ...over.launch,
  },
  queue: {
    id: 1,
    entity: 'lab',
    name: 'q',
    target: 'process',
    discipline: 'fifo',
    paused: false,
    pausedBy: null,
    pausedAt: null,
    pauseReason: null,
    maxRunning: null,
    running: 0,
    lastClaimAt: null,
    ...over.queue,
  },
  project: { id: 1, entity: 'lab', name: 'demo', maxRunning: null, running: 0, ahead: 0, ...over.project },
  line: { position: 1, ahead: 0, higher: 0, waiting: 1, ...over.line },
  agents: over.agents ?? [agent()],
  elsewhere: { unreachable: [], otherQueues: 0, ...over.elsewhere },
  holders: over.holders ?? [],
  others: { queues: 0, waiting: 0 },
});
const codes = (over?: Over): CauseCode[] => causesOf(facts(over)).map(({ code }) => code);
const first = (over: Over): string => summaryOf(causesOf(facts(over))) ?? '';

describe('the causes of waiting', () => {
  test('without anything in the way: it is being handed out', () => expect(codes()).toEqual(['being-handed-out']));

  test('who, when, why and what to do stand in the sentence', () => {
    expect(
      first({ launch: { hold: 'user', heldBy: 'ada', holdReason: 'wait for data.', heldAt: before(120_000) } }),
    ).toBe(
      'It is held by ada since 2026-05-04T11:58:00Z (2 min) ("wait for data"); release it with `davit launches release me`.',
    );
    expect(
      first({ queue: { paused: true, pausedBy: 'ada', pausedAt: before(7_200_000), pauseReason: 'moving racks' } }),
    ).toBe(
      'Queue lab/q is paused by ada since 2026-05-04T10:00:00Z (2 h) ("moving racks"); an admin of lab goes on with `davit queue resume lab/q`.',
    );
    expect(first({ launch: { hold: 'back-off', releaseAt: new Date(now.getTime() + 30_000) } })).toContain(
      'until 2026-05-04T12:00:30Z (in 30 s)',
    );
    expect(
      first({
        launch: {
          hold: 'parked',
          losses: ['x', 'y', 'z'].map((name) => ({
            agentId: name,
            agent: name,
            at: now.toISOString(),
            seen: 'no heartbeat',
          })),
        },
      }),
    ).toContain('3 agents were lost while holding it (x, y, z; last z at 2026-05-04T12:00:00Z: no heartbeat)');
  });

  test('what is held has no place in line and waits for no slot', () => {
    const busy = { agents: [agent({ used: 2 })], line: { position: null, ahead: 5 } };
    expect(codes({ ...busy, launch: { hold: 'user' } })).toEqual(['held']);
    expect(codes({ launch: { hold: 'user' }, queue: { paused: true }, agents: [] })).toEqual([
      'held',
      'queue-paused',
      'no-agent',
    ]);
  });

  test('agents that cannot take it: the cause is what keeps the last of them, and the others are counted', () => {
    expect(codes({ agents: [] })).toEqual(['no-agent', 'next-in-line']);
    expect(first({ agents: [], elsewhere: { otherQueues: 3 } })).toContain(
      'one of the 3 agents of lab that serve others',
    );
    expect(first({ agents: [], elsewhere: { unreachable: [{ name: 'x', details: ['no Python.'] }] } })).toContain(
      '(x: no Python)',
    );
    const lost = agent({ id: 'a2', name: 'two', alive: false, heartbeatAt: before(300_000) });
    const stopped = agent({ id: 'a3', name: 'three', stopped: true });
    const draining = agent({ id: 'a4', name: 'four', draining: true, wantedBy: 'ada' });
    expect(codes({ agents: [lost] })).toEqual(['agents-lost', 'next-in-line']);
    expect(first({ agents: [lost, stopped] })).toContain(
      'two, is lost: nothing was heard of two since 2026-05-04T11:55:00Z (5 min) (others: 1 stopped)',
    );
    expect(first({ agents: [stopped, lost, draining] })).toContain(
      'four, takes nothing new: it is being drained by ada (others: 1 stopped, 1 lost)',
    );
    expect(codes({ agents: [stopped] })[0]).toBe('agents-stopped');
    expect(codes({ agents: [agent({ check: { ok: false, details: ['no engine'] } })] })[0]).toBe('target-unreachable');
    expect(first({ agents: [agent({ quarantinedAt: now, quarantineReason: '3 launches failed' })] })).toContain(
      'in quarantine: 3 launches failed; look at one, then `davit agents release lab/one`',
    );
    expect(codes({ agents: [agent({ quarantinedAt: now, mayProbe: true })] })).toEqual(['being-handed-out']);
    expect(codes({ agents: [lost, stopped, draining, agent()] })).toEqual(['being-handed-out']);
  });

  test('required labels: which are missing, and at which agent the fewest are', () => {
    const requires = { gpu: 'a100', zone: 'b' };
    const near = agent({ id: 'n', name: 'near', labels: { gpu: 'a100', zone: 'a' } });
    const text = first({ launch: { requires }, agents: [agent(), near] });
    expect(text).toContain('(gpu=a100, zone=b): the nearest, near, lacks zone=b (it has zone=a)');
    expect(codes({ launch: { requires }, agents: [agent({ labels: requires })] })).toEqual(['being-handed-out']);
    expect(codes({ launch: { requires }, agents: [agent({ alive: false })] })).toEqual([
      'labels-missing',
      'agents-lost',
      'next-in-line',
    ]);
  });

  test('busy slots: how many, by whom, and the longest', () => {
    const holders = [
      holder(),
      holder({ launchId: 'l2', queueId: 2, queue: 'lab/other', since: before(3_600_000 * 3) }),
    ];
    const [cause] = causesOf(facts({ agents: [agent({ used: 2 })], holders }));
    expect(cause?.sentence).toBe(
      'All 2 slots of agent one are taken: 1 by launches of this queue, 1 by launches of lab/other (longest: l2, for 3 h); ' +
        'it goes on when one ends; another agent or a higher maxJobs makes it sooner.',
    );
    expect(cause?.data).toMatchObject({ used: 2, total: 2, byQueue: { 'lab/q': 1, 'lab/other': 1 } });
    expect(codes({ agents: [agent({ used: 99, maxJobs: -1 })] })).toEqual(['being-handed-out']);
    expect(codes({ agents: [agent({ used: 2 }), agent({ id: 'b', used: 1 })] })).toEqual(['being-handed-out']);
  });

  test('limits and place in line', () => {
    expect(codes({ queue: { maxRunning: 3, running: 3 }, holders: [holder()] })).toEqual([
      'queue-limit',
      'next-in-line',
    ]);
    expect(codes({ queue: { maxRunning: 3, running: 2 } })).toEqual(['being-handed-out']);
    expect(codes({ project: { maxRunning: 1, running: 1 }, line: { position: 4, ahead: 3 } })).toEqual([
      'project-limit',
      'launches-ahead',
    ]);
    expect(first({ line: { position: 13, ahead: 12, higher: 5 } })).toBe(
      '12 launches stand before it in line, 5 of them of a higher priority; to go sooner, move it to the front or give it a higher priority.',
    );
    expect(first({ temporalAway: { since: before(20_000), message: 'refused' } })).toContain(
      'Temporal does not answer since',
    );
  });

  test('come in the order of importance, and every sentence ends with a step', () => {
    const all = causesOf(
      facts({
        temporalAway: { since: now, message: '' },
        queue: { paused: true, maxRunning: 0 },
        project: { maxRunning: 0 },
        agents: [agent({ used: 2 })],
        line: { position: 2, ahead: 1 },
      }),
    );
    const order = all.map(({ code }) => causeCodes.indexOf(code));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    for (const { sentence } of all) expect(sentence).toMatch(/^[A-Z].*; .*\.$/);
  });
});
