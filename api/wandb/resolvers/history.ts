import { DavitError } from '../../../domain/errors.js';
import { parseObjectOrEmpty, toStrictJson } from '../../../domain/extended-json.js';
import { pageOfLines, sampleWholeLines } from '../../../store/history-pages.js';
import { sampledHistory, type SampleSpec } from '../../../store/history-sample.js';
import { historyKeys, systemMetrics } from '../../../store/run-history.js';
import { readLines, type LineFile } from '../../../store/run-lines.js';
import type { Context, RunParent } from '../context.js';
import { wandbLimits } from '../deps.js';
import { historyFiles } from '../history-exports.js';
import { inTurn } from '../turns.js';

const defaultSamples = 500;
const mostLines = 100_000;
/** Of one request. */
const mostSpecs = 100;
const mostKeysOfSpec = 1_000;

interface HistoryArgs {
  samples?: number | null;
  minStep?: number | null;
  maxStep?: number | null;
}

export const historyResolvers = {
  Run: {
    systemMetrics: async (run: RunParent, _: unknown, { db }: Context) =>
      run.events_lines === 0 ? '{}' : JSON.stringify(await systemMetrics(db, run.id)),
    historyKeys: (run: RunParent, _: unknown, { db }: Context) =>
      run.history_lines === 0 ? { keys: {}, lastStep: -1, sets: [] } : historyKeys(db, run.id),
    historyLineCount: (run: RunParent) => run.history_lines,
    eventsLineCount: (run: RunParent) => run.events_lines,
    historyTail: (run: RunParent, _: unknown, context: Context) => tail(context, run, 'history', run.history_lines),
    eventsTail: (run: RunParent, _: unknown, context: Context) => tail(context, run, 'events', run.events_lines),
    history,
    events: (run: RunParent, args: HistoryArgs, { db }: Context) =>
      sampleWholeLines(db, run.id, 'events', samplesOf(args)),
    sampledHistory: sampled,
    parquetHistory,
  },
};

/**
 * Files that hold all of a run's history, or none of it: the clients that join the two ask for whole pages across the seam and would have those rows
 * twice. The least step of what is in no file says where pages begin.
 */
async function parquetHistory(run: RunParent, _: unknown, context: Context) {
  const keys = await historyFiles(context, run.id);
  if (!keys) return { parquetUrls: [], liveData: [{ _step: 0 }] };
  const links = keys.map((key, i) =>
    context.blobs.downloadUrl(key, {
      expiresInMs: wandbLimits.downloadLinkMs,
      fileName: `${run.name}-history-${i}.parquet`,
      origin: context.origin,
    }),
  );
  return { parquetUrls: await Promise.all(links), liveData: [] };
}

const samplesOf = (args: HistoryArgs): number => Math.min(Math.max(args.samples ?? defaultSamples, 1), mostLines);

/** Sampled over the whole, or, for `scan_history`, the lines of a range of steps (the end excluded). */
function history(run: RunParent, args: HistoryArgs, { db }: Context): Promise<string[]> {
  const limit = samplesOf(args);
  if (typeof args.minStep !== 'number' && typeof args.maxStep !== 'number')
    return sampleWholeLines(db, run.id, 'history', limit);
  const minStep = args.minStep ?? -Infinity;
  const maxStep = (args.maxStep ?? Infinity) - 1;
  return pageOfLines(db, run.id, 'history', { minStep, maxStep, limit });
}

/** The last line is all that a resuming client reads. Strict JSON around it, its own text inside. */
async function tail({ db }: Context, run: RunParent, file: LineFile, count: number): Promise<string> {
  const lines = await readLines(db, run.id, file, { from: Math.max(0, count - 1), limit: 1 });
  return JSON.stringify(lines.map((l) => l.content));
}

/** One after another, and of few runs at a time: a request may hold many, and other requests want connections too. */
async function sampled(run: RunParent, args: { specs: string[] }, { db, request }: Context) {
  if (args.specs.length > mostSpecs)
    throw new DavitError('invalid-request', `sampledHistory takes at most ${mostSpecs} specs in one request.`);
  const specs = args.specs.map((text) => (isEmptySpec(text) ? undefined : specOf(text)));
  const answers = [];
  for (const spec of specs) answers.push(spec ? await inTurn(request, () => sampledHistory(db, run.id, spec)) : []);
  return answers;
}

/** `{}` comes with every list of a sweep's runs, and asks for nothing. */
const isEmptySpec = (text: string): boolean => /^\s*(\{\s*\}|null)\s*$/.test(text);

function specOf(text: string): SampleSpec {
  const spec = parseObjectOrEmpty(toStrictJson(text));
  const keys = spec['keys'];
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string') || keys.length > mostKeysOfSpec)
    throw new DavitError(
      'invalid-request',
      `A spec of sampledHistory needs "keys", a list of at most ${mostKeysOfSpec} names.`,
    );
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
