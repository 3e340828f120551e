import type { Column } from '../output/columns.js';
import { layColumns } from '../output/columns.js';
import type { Colors } from '../output/terminal.js';
import { oneLine } from '../output/terminal.js';
import { cut, widthOf } from '../output/width.js';
import type { InLine, StartRange, Summary, TopSnapshot } from './snapshot.js';
import {
  grouped,
  limitsOf,
  many,
  noteOf,
  paintPriority,
  paintState,
  rateOf,
  runningOf,
  since,
  slotsOf,
  startsIn,
  stateOfQueue,
  whyWaits,
} from './words.js';

/** What is seen of a snapshot. Pure: the same snapshot and view are the same frame. */
export interface View {
  columns: number;
  /** Undefined: everything, without a foot; for what is printed once. */
  rows?: number;
  /** The first row that is shown. */
  offset: number;
  frozen: boolean;
  /** Where it comes from. */
  from: string;
  /** Why this is not what there is now. */
  trouble?: string;
  colors: Colors;
}

export interface Frame {
  lines: string[];
  /** The largest offset that shows anything more. */
  lastOffset: number;
  /** Rows that a page key moves by. */
  page: number;
}

export const renderTop = (snapshot: TopSnapshot, view: View): Frame =>
  snapshot.kind === 'all' ? renderAll(snapshot.lines, view) : renderOne(snapshot, view);

function renderAll({ at, items }: { at: string; items: Summary[] }, view: View): Frame {
  const total = (of: (line: Summary) => number) => items.reduce((sum, line) => sum + of(line), 0);
  const paused = items.filter(({ paused }) => paused).length;
  const facts = [
    many(items.length, 'queue'),
    `${grouped(total(({ waiting }) => waiting))} waiting`,
    `${grouped(total(({ held }) => held))} held`,
    `${grouped(total(({ running }) => running))} running`,
    ...(paused === 0 ? [] : [view.colors.yellow(`${paused} paused`)]),
  ];
  const laid = layColumns(summaryColumns(at), items, view.columns, view.colors);
  const head = [titleLine('All queues', at, view), facts.join(', '), '', laid.head];
  const body = laid.rows.length > 0 ? laid.rows : ['There are no queues. Make one: davit queue create NAME'];
  return assemble({ head, body, below: [], entries: items.length, total: items.length }, view);
}

const summaryColumns = (at: string): Column<Summary>[] => [
  { title: 'QUEUE', of: (one) => oneLine(`${one.entity}/${one.queue}`), least: 8 },
  {
    title: 'STATE',
    of: stateOfQueue,
    paint: (text, one, colors) => paintState(text, stateOfQueue(one), colors),
  },
  { title: 'WAITING', of: (one) => grouped(one.waiting), align: 'right' },
  { title: 'HELD', of: (one) => grouped(one.held), align: 'right', rank: 3 },
  { title: 'RUNNING', of: runningOf, align: 'right' },
  { title: 'OLDEST', of: (one) => since(one.oldestQueuedAt, at), align: 'right' },
  { title: 'AGENTS', of: (one) => String(one.agents), align: 'right', rank: 4 },
  { title: 'SLOTS', of: slotsOf, align: 'right', rank: 5 },
  { title: 'ENDED/MIN', of: rateOf, align: 'right', rank: 2 },
  {
    title: 'NOTE',
    of: (one) => oneLine(noteOf(one, at)),
    least: 10,
    rank: 1,
    paint: (text, _, colors) => colors.yellow(text),
  },
];

function renderOne(snapshot: TopSnapshot & { kind: 'one' }, view: View): Frame {
  const { estimates } = snapshot;
  const { at, line, next, held, running } = snapshot.line;
  const { colors } = view;
  const name = oneLine(`${line.entity}/${line.queue}`);
  const state = stateOfQueue(line);
  const facts = [
    `${grouped(line.waiting)} waiting`,
    `${grouped(line.held)} held`,
    `${runningOf(line)} running`,
    `oldest ${since(line.oldestQueuedAt, at)}`,
    many(line.agents, 'agent'),
    `${slotsOf(line)} slots busy`,
    `${rateOf(line)} ended/min`,
  ];
  const notes = [noteOf(line, at), limitsOf(line)].filter((word) => word !== '').map(oneLine);
  const waiting = layColumns(waitingColumns(at, estimates), [...next, ...held], view.columns, colors);
  const head = [
    titleLine(`${name}  ${paintState(state, state, colors)}`, at, view),
    facts.join(', '),
    ...(notes.length === 0 ? [] : [colors.yellow(cut(notes.join('; '), view.columns))]),
    '',
    waiting.head,
  ];
  const unseen = line.waiting + line.held - next.length - held.length;
  const body = [...waiting.rows, ...(unseen > 0 ? [colors.dim(`… and ${grouped(unseen)} more behind them`)] : [])];
  return assemble(
    {
      head,
      body: body.length > 0 ? body : ['Nothing waits.'],
      below: runningBlock(running, line.running, at, view),
      entries: waiting.rows.length,
      total: line.waiting + line.held,
    },
    view,
  );
}

const job = (one: InLine): string => oneLine(one.job);
const projectOf = (one: InLine): string => oneLine(one.project);
const by = (one: InLine): string => oneLine(one.author);

const waitingColumns = (at: string, estimates: ReadonlyMap<string, StartRange>): Column<InLine>[] => [
  { title: '#', of: (one) => (one.position === null ? '-' : grouped(one.position)), align: 'right' },
  { title: 'PRIORITY', of: (one) => one.priority, paint: paintPriority },
  { title: 'LAUNCH', of: (one) => one.id },
  { title: 'JOB', of: job, least: 8 },
  { title: 'PROJECT', of: projectOf, least: 7, rank: 2 },
  { title: 'BY', of: by, least: 4, rank: 1 },
  { title: 'WAITS', of: (one) => since(one.queuedAt, at), align: 'right' },
  { title: 'STARTS IN', of: (one) => startsIn(estimates.get(one.id), at), align: 'right' },
  { title: 'NOTE', of: whyWaits, least: 6, rank: 3, paint: (text, _, colors) => colors.yellow(text) },
];

const runningColumns = (at: string): Column<InLine>[] => [
  { title: 'RUNNING', of: (one) => one.id },
  { title: 'STATE', of: (one) => one.state, paint: (text, _, colors) => colors.cyan(text) },
  { title: 'JOB', of: job, least: 8 },
  { title: 'PROJECT', of: projectOf, least: 7, rank: 2 },
  { title: 'BY', of: by, least: 4, rank: 1 },
  { title: 'AGENT', of: (one) => oneLine(one.agent ?? '-'), least: 6 },
  { title: 'FOR', of: (one) => since(one.startedAt ?? one.claimedAt, at), align: 'right' },
];

/** What runs, at the bottom: at most a third of the screen, so that the line keeps its room. */
function runningBlock(running: InLine[], total: number, at: string, view: View): string[] {
  if (total === 0) return [];
  const room = view.rows === undefined ? running.length : Math.max(1, Math.floor(view.rows / 3) - 2);
  const shown = running.slice(0, total > room ? Math.max(1, room - 1) : room);
  const laid = layColumns(runningColumns(at), shown, view.columns, view.colors);
  const unseen = total - shown.length;
  return ['', laid.head, ...laid.rows, ...(unseen > 0 ? [view.colors.dim(`… and ${grouped(unseen)} more`)] : [])];
}

function titleLine(title: string, at: string, view: View): string {
  const { colors } = view;
  const clock = `${at.slice(11, 19)} UTC`;
  const mode = view.trouble === undefined ? (view.frozen ? 'view paused' : '') : 'no answer';
  const right = [mode === '' ? '' : colors.yellow(mode), clock].filter((word) => word !== '').join('  ');
  const rightWidth = clock.length + (mode === '' ? 0 : mode.length + 2);
  const titleWidth = widthOf(withoutColours(title));
  const from = view.columns - titleWidth - rightWidth - 4 >= view.from.length ? `  ${colors.dim(view.from)}` : '';
  const used = titleWidth + (from === '' ? 0 : view.from.length + 2);
  const space = Number.isFinite(view.columns) ? view.columns - used - rightWidth : 4;
  return space < 1 ? title : `${colors.bold(title)}${from}${' '.repeat(space)}${right}`;
}

interface Parts {
  head: string[];
  body: string[];
  below: string[];
  /** Rows of the body that are entries, and how many entries there are, seen or not. */
  entries: number;
  total: number;
}

/** The head stays, the body scrolls, the block below and the foot stay. Exactly `rows` lines when there is such a number. */
function assemble({ head, body, below, entries, total }: Parts, view: View): Frame {
  const heading = head.map((line) => clip(line, view.columns));
  const bottom = below.map((line) => clip(line, view.columns));
  if (view.rows === undefined)
    return { lines: [...heading, ...body.map((line) => clip(line, view.columns)), ...bottom], lastOffset: 0, page: 1 };
  const room = Math.max(1, view.rows - heading.length - bottom.length - 2);
  const lastOffset = Math.max(0, body.length - room);
  const offset = Math.min(view.offset, lastOffset);
  const shown = body.slice(offset, offset + room).map((line) => clip(line, view.columns));
  const blank = Array.from({ length: Math.max(0, room - shown.length) }, () => '');
  const last = Math.min(entries, offset + shown.length);
  const place = body.length > room ? `${grouped(offset + 1)}-${grouped(last)} of ${grouped(total)}` : '';
  const lines = [...heading, ...shown, ...blank, ...bottom, '', footLine(place, view)];
  // A terminal too low for all of it keeps the top, and always the foot, which says how to leave.
  const fitted = lines.length > view.rows ? [...lines.slice(0, view.rows - 1), lines.at(-1) ?? ''] : lines;
  return { lines: fitted, lastOffset, page: room };
}

function footLine(place: string, view: View): string {
  if (view.trouble !== undefined) return view.colors.red(cut(oneLine(view.trouble), view.columns));
  const keys = `q quit   ↑ ↓ PgUp PgDn scroll   p ${view.frozen ? 'go on' : 'pause the view'}`;
  const space = view.columns - widthOf(keys) - widthOf(place);
  return view.colors.dim(space < 1 ? cut(keys, view.columns) : `${keys}${' '.repeat(space)}${place}`);
}

// eslint-disable-next-line no-control-regex -- our own colours, and nothing else: what comes from others went through oneLine().
const colour = /\u001b\[[\d;]*m/g;
const withoutColours = (line: string): string => line.replace(colour, '');

/** A line that is too long loses its colours with its end: half a colour would spill over the frame. */
const clip = (line: string, columns: number): string => {
  const bare = withoutColours(line);
  return widthOf(bare) <= columns ? line : cut(bare, columns);
};
