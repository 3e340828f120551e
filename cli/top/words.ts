import { shortDuration } from '../durations.js';
import type { Colors } from '../output/terminal.js';
import { oneLine } from '../output/terminal.js';
import type { InLine, StartRange, Summary } from './snapshot.js';

/** The words of the live view: short, and each with one meaning. */

export const since = (moment: string | null, at: string): string =>
  moment === null ? '-' : shortDuration(Date.parse(at) - Date.parse(moment));

export const stateOfQueue = (line: Summary): 'paused' | 'draining' | 'open' =>
  line.paused ? 'paused' : line.draining ? 'draining' : 'open';

export const runningOf = (line: Summary): string =>
  line.maxRunning === null ? String(line.running) : `${line.running}/${line.maxRunning}`;

export const slotsOf = (line: Summary): string => `${line.slotsBusy}/${line.slots ?? '∞'}`;

export const rateOf = ({ endedPerMinute }: Summary): string =>
  endedPerMinute === null
    ? '-'
    : endedPerMinute >= 100
      ? String(Math.round(endedPerMinute))
      : endedPerMinute.toFixed(1);

export const many = (n: number, one: string, more = `${one}s`): string => `${grouped(n)} ${n === 1 ? one : more}`;

/** 10,000: long lines are the ones that matter. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

export function paintState(text: string, state: string, colors: Colors): string {
  if (state === 'paused' || state === 'draining') return colors.yellow(text);
  return state === 'open' ? colors.green(text) : text;
}

export function paintPriority(text: string, { priority }: InLine, colors: Colors): string {
  if (priority === 'critical') return colors.red(text);
  if (priority === 'high') return colors.yellow(text);
  return priority === 'low' ? colors.dim(text) : text;
}

/** What an operator should know about this queue, most urgent first. */
export function noteOf(line: Summary, at: string): string {
  if (line.paused) {
    const who = line.pausedBy === null ? '' : ` by ${line.pausedBy}`;
    const when = line.pausedAt === null ? '' : ` ${since(line.pausedAt, at)} ago`;
    return `paused${who}${when}${line.pauseReason === null ? '' : `: ${line.pauseReason}`}`;
  }
  if (line.waiting > 0 && line.agents === 0) return 'no agent serves it';
  if (line.waiting > 0 && line.maxRunning !== null && line.running >= line.maxRunning) return 'at its limit';
  if (line.waiting > 0 && line.slots !== null && line.slotsBusy >= line.slots) return 'all slots busy';
  return line.draining ? 'takes no new launches' : '';
}

export function limitsOf(line: Summary): string {
  const limits = [
    line.discipline === 'fair' ? 'fair between projects' : null,
    line.maxRunning === null ? null : `at most ${line.maxRunning} running`,
    line.maxRunningPerProject === null ? null : `${line.maxRunningPerProject} a project`,
    line.maxWaiting === null ? null : `${grouped(line.maxWaiting)} waiting`,
  ].filter((word) => word !== null);
  return limits.join(', ');
}

/** `now`, `<2m` or `1m..5m`. */
export function startsIn(range: StartRange | undefined, at: string): string {
  if (range === undefined) return '-';
  const earliestMs = Math.max(0, Date.parse(range.earliest) - Date.parse(at));
  const latestMs = Math.max(0, Date.parse(range.latest) - Date.parse(at));
  if (latestMs < 2_000) return 'now';
  const [from, to] = [shortDuration(earliestMs), shortDuration(latestMs)];
  if (from === to) return to;
  return earliestMs < 1_000 ? `<${to}` : `${from}..${to}`;
}

/** Why it is passed over, and what it needs of its agent. */
export function whyWaits({ hold, holdReason, requires }: InLine): string {
  const held =
    hold === null ? [] : [`${hold === 'user' ? 'held' : hold}${holdReason === null ? '' : `: ${holdReason}`}`];
  const needs = Object.entries(requires).map(([label, value]) => `${label}=${value}`);
  return oneLine([...held, ...needs].join(', '));
}
