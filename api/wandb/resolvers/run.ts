import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseObjectOrEmpty, toStrictJson } from '../../../domain/extended-json.js';
import { roleIncludes } from '../../../domain/words.js';
import { historyKeys, sampledHistory, systemMetrics, type SampleSpec } from '../../../store/run-history.js';
import { lineOfStep, readConsole, readLines, sampleLines, type LineFile } from '../../../store/run-lines.js';
import type { Context, RunParent } from '../context.js';
import { runGlobalId } from '../ids.js';
import { shownUser } from './session.js';

const defaultSamples = 500;
const mostLines = 100_000;

interface HistoryArgs {
  samples?: number | null;
  minStep?: number | null;
  maxStep?: number | null;
}

export const runResolvers = {
  Run: {
    id: (run: RunParent) => runGlobalId(run),
    displayName: (run: RunParent) => run.display_name,
    config: (run: RunParent) => run.config,
    wandbConfig: (run: RunParent, args: { keys?: string[] | null }) => wandbConfig(run, args.keys),
    summaryMetrics: (run: RunParent, args: { keys?: string[] | null }) =>
      args.keys ? JSON.stringify(chosen(parseObjectOrEmpty(run.summary), args.keys)) : run.summary,
    systemMetrics: async (run: RunParent, _: unknown, { db }: Context) =>
      JSON.stringify(await systemMetrics(db, run.id)),
    historyKeys: (run: RunParent, _: unknown, { db }: Context) => historyKeys(db, run.id),
    group: (run: RunParent) => run.group_name || null,
    jobType: (run: RunParent) => run.job_type || null,
    commit: (run: RunParent) => run.commit || null,
    sweepName: (run: RunParent) => run.sweep_name,
    shouldStop: (run: RunParent) => run.stopped,
    readOnly: (run: RunParent) => !roleIncludes(run.scope.role, 'member'),
    createdAt: (run: RunParent) => run.created_at,
    heartbeatAt: (run: RunParent) => run.heartbeat_at,
    updatedAt: (run: RunParent) => run.ended_at ?? run.heartbeat_at,
    user: (run: RunParent) => shownUser(run),
    project: (run: RunParent) => run.scope,
    projectId: (run: RunParent) => String(run.project_id),
    historyLineCount: (run: RunParent) => run.history_lines,
    eventsLineCount: (run: RunParent) => run.events_lines,
    logLineCount: (run: RunParent) => run.log_lines,
    historyTail: (run: RunParent, _: unknown, context: Context) => tail(context, run, 'history', run.history_lines),
    eventsTail: (run: RunParent, _: unknown, context: Context) => tail(context, run, 'events', run.events_lines),
    history,
    events: async (run: RunParent, args: HistoryArgs, { db }: Context) =>
      (await sampleLines(db, run.id, 'events', { total: run.events_lines, samples: samplesOf(args) })).map(
        (l) => l.content,
      ),
    sampledHistory: (run: RunParent, args: { specs: string[] }, { db }: Context) =>
      Promise.all(args.specs.map((text) => (isEmptySpec(text) ? [] : sampledHistory(db, run.id, specOf(text))))),
    parquetHistory: () => ({ parquetUrls: [], liveData: [] }),
    logLines,
  },
};

const samplesOf = (args: HistoryArgs): number => Math.min(Math.max(args.samples ?? defaultSamples, 1), mostLines);

/** Sampled over the whole, or, for `scan_history`, the lines of a range of steps (the end excluded). */
async function history(run: RunParent, args: HistoryArgs, { db }: Context): Promise<string[]> {
  const samples = samplesOf(args);
  const total = run.history_lines;
  if (typeof args.minStep !== 'number' && typeof args.maxStep !== 'number')
    return (await sampleLines(db, run.id, 'history', { total, samples })).map((l) => l.content);
  const from = typeof args.minStep === 'number' ? await lineOfStep(db, run.id, args.minStep, total) : 0;
  const to = typeof args.maxStep === 'number' ? await lineOfStep(db, run.id, args.maxStep, total) : total;
  const lines = await readLines(db, run.id, 'history', { from, limit: Math.min(samples, Math.max(to - from, 0)) });
  return lines.filter((l) => l.line < to).map((l) => l.content);
}

/** The last line is all that a resuming client reads. Strict JSON around it, its own text inside. */
async function tail({ db }: Context, run: RunParent, file: LineFile, count: number): Promise<string> {
  const lines = await readLines(db, run.id, file, { from: Math.max(0, count - 1), limit: 1 });
  return JSON.stringify(lines.map((l) => l.content));
}

function wandbConfig(run: RunParent, keys: string[] | null | undefined): string {
  const entry = parseObjectOrEmpty(run.config)['_wandb'];
  const value = isJsonObject(entry) && isJsonObject(entry['value']) ? entry['value'] : {};
  return JSON.stringify(keys ? chosen(value, keys) : value);
}

const chosen = <T>(values: Record<string, T>, keys: string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));

/** `{}` comes with every list of a sweep's runs, and asks for nothing. */
const isEmptySpec = (text: string): boolean => /^\s*(\{\s*\}|null)\s*$/.test(text);

function specOf(text: string): SampleSpec {
  const spec = parseObjectOrEmpty(toStrictJson(text));
  const keys = spec['keys'];
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string'))
    throw new DavitError('invalid-request', 'A spec of sampledHistory needs "keys", a list of names.');
  const number = (name: string) => (typeof spec[name] === 'number' ? spec[name] : undefined);
  const samples = number('samples') ?? defaultSamples;
  const minStep = number('minStep');
  const end = number('maxStep');
  // Clients since 0.26 page with the end included and as many samples as the range has steps; older ones with the end left out.
  const included = end !== undefined && end - (minStep ?? 0) === samples - 1;
  return {
    keys,
    samples: Math.min(samples, mostLines),
    ...(minStep === undefined ? {} : { minStep }),
    ...(end === undefined ? {} : { maxStep: included ? end : end - 1 }),
  };
}

interface LogArgs {
  first?: number | null;
  last?: number | null;
  after?: string | null;
}

async function logLines(run: RunParent, args: LogArgs, { db }: Context) {
  const from = args.after ? Number(args.after) + 1 : 0;
  if (!Number.isSafeInteger(from) || from < 0)
    throw new DavitError('invalid-request', `"${args.after}" is not a cursor of log lines.`);
  const limit = Math.min(args.first ?? args.last ?? 1_000, mostLines);
  const lines =
    typeof args.last === 'number'
      ? await readConsole(db, run.id, { last: limit })
      : await readConsole(db, run.id, { from, limit });
  const end = lines.at(-1)?.line;
  return {
    edges: lines.map((l) => ({
      cursor: String(l.line),
      node: {
        number: l.line,
        timestamp: l.timestamp ?? null,
        // As the client's own documentation has it: a word for errors, nothing for the rest.
        level: l.level === 'error' ? 'error' : null,
        label: l.label ?? null,
        line: l.text,
      },
    })),
    pageInfo: {
      endCursor: end === undefined ? null : String(end),
      hasNextPage: end !== undefined && end + 1 < run.log_lines,
    },
  };
}
