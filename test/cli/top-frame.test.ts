import { describe, expect, test } from 'vitest';
import { keysOf } from '../../cli/top/screen.js';
import { renderTop } from '../../cli/top/render.js';
import type { View } from '../../cli/top/render.js';
import type { InLine, Summary, TopSnapshot } from '../../cli/top/snapshot.js';
import { cut, fit, widthOf } from '../../cli/output/width.js';
import { colorsFor } from '../../cli/output/terminal.js';

const at = '2026-05-04T12:00:00.000Z';
const ago = (seconds: number) => new Date(Date.parse(at) - seconds * 1000).toISOString();
const summary = (over: Partial<Summary> = {}): Summary => ({
  entity: 'vision',
  queue: 'gpu',
  target: 'process',
  paused: false,
  pausedBy: null,
  pausedAt: null,
  pauseReason: null,
  draining: false,
  discipline: 'fifo',
  maxRunning: null,
  maxRunningPerProject: null,
  maxWaiting: null,
  waiting: 3,
  held: 1,
  running: 2,
  oldestQueuedAt: ago(840),
  agents: 1,
  slots: 2,
  slotsBusy: 2,
  endedPerMinute: 1.25,
  ...over,
});
const inLine = (n: number, over: Partial<InLine> = {}): InLine => ({
  id: `0mf3k9x2a7${String(n).padStart(10, '0')}`,
  position: n,
  state: 'queued',
  priority: 'medium',
  job: 'train:v3',
  entity: 'vision',
  project: 'detector',
  author: 'ada',
  agent: null,
  queuedAt: ago(900 - n),
  claimedAt: null,
  startedAt: null,
  hold: null,
  holdReason: null,
  requires: {},
  ...over,
});
const view = (over: Partial<View> = {}): View => ({
  columns: 80,
  rows: 24,
  offset: 0,
  frozen: false,
  from: 'http://127.0.0.1:8080',
  colors: colorsFor(process.stdout, { NO_COLOR: '1' }),
  ...over,
});
const one = (count: number, over: Partial<Summary> = {}): TopSnapshot => ({
  kind: 'one',
  line: {
    at,
    line: summary({ waiting: count, held: 0, ...over }),
    next: Array.from({ length: count }, (_, i) => inLine(i + 1)),
    held: [],
    running: [
      inLine(500, { position: null, state: 'running', agent: 'box-1', startedAt: ago(61), claimedAt: ago(70) }),
    ],
  },
  estimates: new Map([[inLine(1).id, { earliest: ago(-60), latest: ago(-300) }]]),
});

describe('a frame', () => {
  test.each([
    [80, 24],
    [200, 50],
    [40, 10],
    [20, 5],
  ])('of %i columns and %i rows fills the terminal and never more than it', (columns, rows) => {
    for (const snapshot of [one(100), { kind: 'all', lines: { at, items: [summary(), summary()] } } as TopSnapshot]) {
      const { lines } = renderTop(snapshot, view({ columns, rows }));
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
  });

  test('stays in its width when names are wide, joined or hostile', () => {
    const snapshot = one(3);
    if (snapshot.kind !== 'one') return;
    Object.assign(snapshot.line.next[0] ?? {}, { job: '訓練ジョブ訓練ジョブ:v1', author: '👩‍👩‍👧‍👦 family' });
    Object.assign(snapshot.line.next[1] ?? {}, { project: 'de\u0301tecteur', author: 'a\u001b[2J\r\nb' });
    for (const columns of [60, 80, 200]) {
      const { lines } = renderTop(snapshot, view({ columns }));
      for (const line of lines) {
        expect(widthOf(line)).toBeLessThanOrEqual(columns);
        // eslint-disable-next-line no-control-regex -- what must not get through.
        expect(line).not.toMatch(/[\u0000-\u001f]/);
      }
    }
  });

  test('keeps position, priority, launch, job, project, author, waiting time and estimate at 80 columns', () => {
    const { lines } = renderTop(one(2), view());
    const head = lines.find((line) => line.includes('PRIORITY')) ?? '';
    for (const title of ['#', 'PRIORITY', 'LAUNCH', 'JOB', 'PROJECT', 'BY', 'WAITS', 'STARTS IN'])
      expect(head).toContain(title);
    const row = lines.find((line) => line.includes(inLine(1).id)) ?? '';
    expect(row).toMatch(/^ *1 medium +\S+ train:v3 +detector +ada +14m +1m..5m/);
    expect(lines.join('\n')).toMatch(/RUNNING[^]*running +train:v3 +detector +ada +box-1 +1m01s/);
  });

  test('scrolls through the line, keeps head and foot, and stops at the end', () => {
    const top = renderTop(one(100), view());
    const end = renderTop(one(100), view({ offset: 1_000_000 }));
    expect(end.lines[0]).toBe(top.lines[0]);
    expect(end.lines.join('\n')).toContain(inLine(100).id);
    expect(end.lines.join('\n')).not.toContain(`${inLine(1).id} `);
    expect(end.lines.at(-1)).toMatch(/^q quit.*-100 of 100$/);
    expect(renderTop(one(100), view({ offset: top.lastOffset })).lines).toEqual(end.lines);
  });

  test('says what keeps a queue: who paused it and why, its limit, no agent', () => {
    const words = (over: Partial<Summary>) =>
      renderTop({ kind: 'all', lines: { at, items: [summary(over)] } }, view({ columns: 200 })).lines.join('\n');
    expect(words({ paused: true, pausedBy: 'ada', pausedAt: ago(300), pauseReason: 'new disks' })).toContain(
      'paused by ada 5m ago: new disks',
    );
    expect(words({ maxRunning: 2 })).toContain('2/2');
    expect(words({ maxRunning: 2 })).toContain('at its limit');
    expect(words({ agents: 0, slots: 0, slotsBusy: 0 })).toContain('no agent serves it');
    expect(words({ slots: null, slotsBusy: 9 })).toContain('9/∞');
  });

  test('printed once it has everything and no foot', () => {
    const { lines } = renderTop(one(100), { ...view({ columns: Infinity }), rows: undefined } as unknown as View);
    expect(lines.join('\n')).toContain(inLine(100).id);
    expect(lines.join('\n')).not.toContain('q quit');
  });
});

describe('text in cells', () => {
  test('widths are those of a terminal', () => {
    expect([widthOf('abc'), widthOf('訓練'), widthOf('e\u0301'), widthOf('👩‍👩‍👧‍👦'), widthOf('🇩🇪'), widthOf('')]).toEqual([
      3, 4, 1, 2, 2, 0,
    ]);
    expect(cut('訓練ジョブ', 6)).toBe('訓練…');
    expect(widthOf(fit('訓練ジョブ', 6))).toBe(6);
    expect(fit('7', 3, 'right')).toBe('  7');
  });

  test('keys are known in what a terminal sends, also several at once', () => {
    expect(keysOf('\u001b[A\u001b[6~q')).toEqual(['up', 'page-down', 'q']);
    expect(keysOf('\u001b[1;5A\u0003P')).toEqual(['interrupt', 'p']);
  });
});
