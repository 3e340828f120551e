import { inversionsIn, lineEventsOf, type LineEvent } from '../../support/line-order.js';
import type { Stack } from '../../support/stack.js';
import { expectNothingLeft } from '../support/all-well.js';
import { LightJob, type JobTurn } from './light-job.js';
import type { Accepted } from './load.js';
import type { Observer } from './observer.js';

/** What must be zero, with what speaks against it. */
export interface Count {
  what: string;
  evidence: string[];
}

interface Row {
  id: string;
  state: string;
  attempt: number;
  agent: string | null;
  exitCode: number | null;
  code: string | null;
  reason: string | null;
}

/** An Engine that was killed may not know of a job that it started, or how one ended: that is said, and it is not started again. */
const isForgotten = ({ code }: Row, hasEngine: boolean): boolean => hasEngine && code === 'job-lost';

/** What a job says while its Engine is dead is lost when it ends before the Engine is back; of such a job it is said. */
const mayBeCut = ({ reason }: Row): boolean => reason?.includes('is missing in its log') === true;

const isEnd = (state: string): boolean => ['finished', 'failed', 'stopped'].includes(state);

/** Goes through every launch, every start of a job, every log and every line. */
export async function judge(
  stack: Stack,
  observer: Observer,
  accepted: readonly Accepted[],
  turns: readonly JobTurn[],
  slotsOf: ReadonlyMap<string, number>,
  hasEngine: boolean,
): Promise<Count[]> {
  const rows = await observer.rows<Row>(
    `select l.id, l.state, l.attempt, a.name as agent, l.exit_code as "exitCode", l.failure ->> 'code' as code, l.reason
     from launch l left join agent a on a.id = l.agent_id`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const startsOf = new Map<string, string[]>();
  for (const { sign, launchId, name } of turns)
    if (sign === '+') startsOf.set(launchId, [...(startsOf.get(launchId) ?? []), name]);

  const lost: string[] = [];
  const otherwise: string[] = [];
  const twice: string[] = [];
  const rerun: string[] = [];
  for (const { id, isCancelled } of accepted) {
    const row = byId.get(id);
    const starts = startsOf.get(id) ?? [];
    const names = new Set(starts);
    if (row === undefined || !isEnd(row.state)) lost.push(`${id} is ${row?.state ?? 'not there'}`);
    else if (row.state !== 'finished' && !(isCancelled && row.state === 'stopped') && !isForgotten(row, hasEngine))
      otherwise.push(`${id} is ${row.state}, ${row.code ?? 'no failure'}, exit code ${row.exitCode ?? 'none'}`);
    else if (row.state === 'finished' && starts.length === 0) otherwise.push(`${id} finished and was never started`);
    if (starts.length > names.size) twice.push(`${id}: ${starts.join(', ')}`);
    if (names.size > 1) rerun.push(`${id}: ${starts.join(', ')}`);
  }
  const known = new Set(accepted.map(({ id }) => id));
  const unknown = rows
    .filter(({ id }) => !known.has(id))
    .map(({ id }) => `${id} is in the store and nobody asked for it`);

  return [
    { what: 'lost', evidence: lost },
    { what: 'accepted twice', evidence: unknown },
    { what: 'started twice', evidence: twice },
    { what: 'rerun after start', evidence: rerun },
    { what: 'ended otherwise than their job', evidence: otherwise },
    { what: 'beyond the slots of an agent', evidence: tooManyAtOnce(turns, byId, slotsOf) },
    { what: 'order broken', evidence: await orderBroken(observer, [...new Set(accepted.map(({ queue }) => queue))]) },
    { what: 'logs with a gap or a double', evidence: await brokenLogs(observer, accepted, byId, hasEngine) },
    { what: 'left behind (processes, workflows, notes)', evidence: await leftBehind(stack) },
  ];
}

/** A launch is charged to the agent that held it when its job was created: nobody else ever holds it, or it was rerun. */
function tooManyAtOnce(
  turns: readonly JobTurn[],
  rows: ReadonlyMap<string, Row>,
  slotsOf: ReadonlyMap<string, number>,
): string[] {
  const evidence: string[] = [];
  // A job that was killed has no end in the file.
  const ending = new Set(turns.filter(({ sign }) => sign === '-').map(({ name }) => name));
  const running = new Map<string, Set<string>>();
  for (const { sign, launchId, name } of turns) {
    const agent = rows.get(launchId)?.agent ?? '';
    const names = running.get(agent) ?? new Set();
    running.set(agent, names);
    if (sign === '-') names.delete(name);
    else if (ending.has(name)) names.add(name);
    if (names.size > (slotsOf.get(agent) ?? Number.POSITIVE_INFINITY))
      evidence.push(`${agent} ran ${names.size} at once: ${[...names].join(', ')}`);
  }
  return evidence;
}

async function orderBroken(observer: Observer, queues: readonly string[]): Promise<string[]> {
  const evidence: string[] = [];
  for (const queue of queues)
    for (const sentence of inversionsIn(await observer.rows<LineEvent>(lineEventsOf(queue))))
      evidence.push(`${queue}: ${sentence}`);
  return evidence;
}

async function brokenLogs(
  observer: Observer,
  accepted: readonly Accepted[],
  rows: ReadonlyMap<string, Row>,
  hasEngine: boolean,
): Promise<string[]> {
  const chunks = await observer.rows<{ id: string; stream: string; from: string; data: Buffer; attempt: number }>(
    `select launch_id as id, stream, from_byte as "from", data, attempt from launch_log
     where stream <> 'prepare' order by launch_id, n`,
  );
  const texts = new Map<string, string>();
  const evidence: string[] = [];
  for (const { id, stream, from, data, attempt } of chunks) {
    if (attempt !== rows.get(id)?.attempt) evidence.push(`${id}: output of attempt ${attempt}`);
    const key = `${id} ${stream}`;
    const before = texts.get(key) ?? '';
    if (Buffer.byteLength(before) !== Number(from))
      evidence.push(`${key}: a piece at ${from} after ${before.length} bytes`);
    texts.set(key, before + data.toString());
  }
  for (const { id } of accepted) {
    const row = rows.get(id);
    if (row?.state !== 'finished') continue;
    const isSaid = hasEngine && mayBeCut(row);
    for (const [stream, whole] of [
      ['stdout', LightJob.stdoutOf(id)],
      ['stderr', LightJob.stderrOf(id)],
    ] as const) {
      const text = texts.get(`${id} ${stream}`) ?? '';
      if (text !== whole && !(isSaid && whole.startsWith(text)))
        evidence.push(`${id} ${stream} is ${JSON.stringify(text)}`);
    }
  }
  return evidence;
}

async function leftBehind(stack: Stack): Promise<string[]> {
  try {
    await expectNothingLeft(stack);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
