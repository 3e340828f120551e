import { DavitError } from '../domain/errors.js';
import type { Api } from '../client/index.js';
import { isWorthRetrying } from '../client/index.js';
import { confirmed } from './confirm.js';
import type { Connected } from './connect.js';
import { exitCodes } from './output/exit-codes.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';
import { Progress } from './output/progress.js';
import { grouped, many } from './top/words.js';
import { pause } from './wait-for.js';

/** Changes of many launches by a filter: what would change, the question, the progress, and the end. */

type Bulk = Api<'Bulk'>;
type Request = Api<'BulkRequest'>;
type Started = Api<'StartedBulk'>;

export interface BulkOptions {
  dryRun?: boolean;
  yes?: boolean;
  detach?: boolean;
}

/** How each action is said: what one asks for, and what has been done. */
export const bulkWords: Record<Request['action'], { ask: string; done: string }> = {
  cancel: { ask: 'Cancel', done: 'cancelled' },
  retry: { ask: 'Enqueue again', done: 'enqueued again' },
  hold: { ask: 'Hold', done: 'held' },
  release: { ask: 'Release', done: 'released' },
  move: { ask: 'Move', done: 'moved' },
  priority: { ask: 'Change the priority of', done: 'changed' },
  transfer: { ask: 'Transfer', done: 'transferred' },
};

const everyMs = 500;

export async function runBulk(api: Connected, out: Output, request: Request, options: BulkOptions): Promise<number> {
  const preview = await started(api, { ...request, dryRun: true });
  if (options.dryRun === true || preview.total === 0) {
    out.result({ dryRun: true, action: request.action, total: preview.total, sample: preview.sample }, () =>
      previewWords(request, preview, out, options.dryRun === true),
    );
    return exitCodes.ok;
  }
  if (options.yes !== true && !out.json) process.stderr.write(`${sampleTable(preview, out)}\n`);
  const question = `${bulkWords[request.action].ask} ${many(preview.total, 'launch', 'launches')}?`;
  if (!(await confirmed(question, { ...options, json: out.json }))) return exitCodes.interrupted;
  // What was looked at is not what is changed: launches go on meanwhile, so the API fixes the list anew.
  const { id } = await started(api, request);
  if (id === null) throw new DavitError('internal', 'The API began nothing.');
  if (options.detach === true) {
    out.result({ id }, () => id);
    return exitCodes.ok;
  }
  return followBulk(api, out, id);
}

/** Shows how far it is until it is over. Ctrl-C leaves, and it goes on: the API does the work. */
export async function followBulk(api: Connected, out: Output, id: string): Promise<number> {
  const left = new AbortController();
  const leave = () => left.abort();
  const progress = new Progress(out.json);
  process.on('SIGINT', leave);
  process.on('SIGTERM', leave);
  try {
    progress.wait('asking how far it is');
    for (let last = ''; ; await pause(everyMs, left.signal)) {
      if (left.signal.aborted) {
        progress.say(
          `It goes on: davit launches bulk ${id} shows how far it is, davit launches bulk ${id} --cancel ends it.`,
        );
        return exitCodes.interrupted;
      }
      const bulk = await orUndefined(bulkOf(api, id, left.signal), progress, left.signal);
      if (bulk === undefined) continue;
      const now = JSON.stringify([bulk.state, bulk.done, bulk.skipped, bulk.failed]);
      if (out.json && now !== last) out.line(bulk, () => '');
      last = now;
      if (bulk.state !== 'running') {
        progress.stop();
        if (!out.json) out.write(endWords(bulk));
        return bulk.state === 'done' && bulk.failed === 0 ? exitCodes.ok : exitCodes.failed;
      }
      progress.wait(progressWords(bulk));
    }
  } finally {
    progress.stop();
    process.off('SIGINT', leave);
    process.off('SIGTERM', leave);
  }
}

export async function bulkOf(api: Connected, id: string, signal?: AbortSignal): Promise<Bulk> {
  const { data } = await api.client.GET('/bulk/{id}', {
    params: { path: { id } },
    ...(signal === undefined ? {} : { signal }),
  });
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return data;
}

async function started(api: Connected, body: Request): Promise<Started> {
  const { data } = await api.client.POST('/bulk', { body });
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return data;
}

/** An API that restarts meanwhile goes on with it; so do we. */
async function orUndefined(work: Promise<Bulk>, progress: Progress, left: AbortSignal): Promise<Bulk | undefined> {
  try {
    return await work;
  } catch (error) {
    if (left.aborted) return undefined;
    if (!isWorthRetrying(error)) throw error;
    progress.wait('the API does not answer; trying again');
    return undefined;
  }
}

function previewWords(request: Request, preview: Started, out: Output, wasAsked: boolean): string {
  if (preview.total === 0) return 'There are no such launches that this could change.';
  const { ask } = bulkWords[request.action];
  return [
    `${ask} ${many(preview.total, 'launch', 'launches')}${wasAsked ? ' (dry run: nothing was changed)' : ''}:`,
    sampleTable(preview, out),
  ].join('\n');
}

function sampleTable({ sample, total }: Started, out: Output): string {
  const table = out.table(
    ['LAUNCH', 'STATE', 'PRIORITY', 'JOB', 'QUEUE', 'PROJECT', 'BY', 'ACCEPTED'],
    sample.map((one) => [
      one.id,
      one.held ? 'held' : one.state,
      one.priority,
      one.jobVersion ?? one.job,
      `${one.queue.entity}/${one.queue.name}`,
      `${one.entity}/${one.project}`,
      one.author,
      ago(one.createdAt),
    ]),
  );
  return total > sample.length ? `${table}\n… and ${grouped(total - sample.length)} more` : table;
}

const dealtWith = ({ done, skipped, failed }: Bulk): number => done + skipped + failed;

export function progressWords(bulk: Bulk): string {
  const percent = bulk.total === 0 ? 100 : Math.floor((100 * dealtWith(bulk)) / bulk.total);
  const trouble = bulk.error === null ? '' : `; at present it cannot go on: ${bulk.error}`;
  return `${bulkWords[bulk.action].done} ${grouped(bulk.done)} of ${grouped(bulk.total)} (${percent} %)${restWords(bulk)}${trouble}`;
}

function restWords({ skipped, failed }: Bulk): string {
  const rest = [
    skipped === 0 ? '' : `${grouped(skipped)} had changed by themselves`,
    failed === 0 ? '' : `${grouped(failed)} refused`,
  ].filter((word) => word !== '');
  return rest.length === 0 ? '' : `, ${rest.join(', ')}`;
}

export function endWords(bulk: Bulk): string {
  const { done } = bulkWords[bulk.action];
  const head =
    bulk.state === 'cancelled'
      ? `Ended before its end: ${done} ${grouped(bulk.done)} of ${many(bulk.total, 'launch', 'launches')}`
      : `${done.charAt(0).toUpperCase()}${done.slice(1)}: ${many(bulk.done, 'launch', 'launches')}`;
  const codes = Object.entries(bulk.failures).map(([code, n]) => `  ${grouped(n)} refused: ${code}`);
  return [`${head}${restWords(bulk)}.`, ...codes].join('\n');
}
