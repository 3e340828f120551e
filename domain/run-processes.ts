import { isJsonObject, parseExtendedJson, type Json } from './extended-json.js';
import type { LineBase } from './line-places.js';
import type { RunState } from './words.js';

/**
 * The processes that wrote the present life of a run, one behind the other. `wandb sync` sends what one of them logged a second time, and its
 * lines belong where that process put them. The client says of each process when it started, to the microsecond: that is who it is.
 */

export interface LineCounts {
  history: number;
  events: number;
  log: number;
}

/** Counts: the lines that were there when it began. Null: it has not yet said when it started. */
export interface RunProcess extends LineCounts {
  startedAt: string | null;
}

/** What a process that resumes changes; put back when it turns out to be a former one, sent again. */
export interface BeforeResume {
  log?: LineBase;
  events?: LineBase;
  state: RunState;
  stopped: boolean;
  exitCode: number | null;
  endedAt: string | null;
  config: string;
  summary: string;
}

/** Lines that are sent again are counted from `from`. `to`: where they belong; null when nothing of them can be new. */
export interface Replay {
  from: LineCounts;
  to: LineCounts | null;
}

/** Nobody syncs the first one of more processes than this. */
const keptProcesses = 200;

export const zeroCounts: LineCounts = { history: 0, events: 0, log: 0 };

/** With one more that begins behind these lines. A repeated first request is no other process. */
export function withProcess(known: readonly RunProcess[], at: LineCounts): RunProcess[] {
  const last = known.at(-1);
  const repeated =
    last?.startedAt === null && last.history === at.history && last.events === at.events && last.log === at.log;
  return repeated ? [...known] : [...known, { startedAt: null, ...at }].slice(-keptProcesses);
}

/**
 * Where the lines of a process go that is sent again. Behind the last process nothing was written, so what had not arrived of it finds its
 * place. What a former one logged and did not send has none: the next one went on where it stood.
 */
export function replayOf(processes: readonly RunProcess[], index: number, from: LineCounts): Replay {
  const process = processes[index];
  const isLast = index === processes.length - 1;
  return {
    from,
    to: process && isLast ? { history: process.history, events: process.events, log: process.log } : null,
  };
}

/** Undefined: the line has no place any more. Some clients count from 0 where others count from what is there. */
export function placeReplayed(replay: Replay, file: keyof LineCounts, offset: number): number | undefined {
  if (replay.to === null) return undefined;
  const from = offset < replay.from[file] ? 0 : replay.from[file];
  return offset - from + replay.to[file];
}

/** When the process started that a config speaks of, as the client wrote it. Undefined when it does not say so, or speaks of several. */
export function startOf(config: string | undefined): string | undefined {
  if (config === undefined || !/"started_?[aA]t/.test(config)) return undefined;
  const byWriter = ownValues(config)?.['e'];
  const environments = isJsonObject(byWriter) ? Object.values(byWriter) : [];
  const [first] = environments;
  if (environments.length !== 1 || !isJsonObject(first)) return undefined;
  const started = first['startedAt'] ?? first['started_at'];
  return typeof started === 'string' ? started : undefined;
}

/**
 * The number by which clients up to 0.25 say that they send what was recorded. They do so in the first request, together with the second in which
 * the run was made, which is a little after the start of its process: signing in lies between.
 */
const syncFeature = 42;
const longestSignInSeconds = 60;

/** Which process these clients send again. */
export function syncedProcess(config: string | undefined, processes: readonly RunProcess[]): number {
  if (config?.includes('"start_time"') !== true) return -1;
  const own = ownValues(config);
  const telemetry = own?.['t'];
  const features = isJsonObject(telemetry) ? telemetry['3'] : undefined;
  const second = own?.['start_time'];
  if (!Array.isArray(features) || !features.includes(syncFeature) || typeof second !== 'number') return -1;
  return processes.findLastIndex(({ startedAt }) => {
    const after = startedAt === null ? -1 : Math.floor(second) - Math.floor(Date.parse(startedAt) / 1000);
    return after >= 0 && after <= longestSignInSeconds;
  });
}

/** What the client keeps for itself. */
function ownValues(config: string): { [key: string]: Json } | undefined {
  try {
    const whole = parseExtendedJson(config);
    const entry = isJsonObject(whole) ? whole['_wandb'] : undefined;
    const value = isJsonObject(entry) ? entry['value'] : undefined;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
