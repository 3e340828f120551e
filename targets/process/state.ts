import { readFile, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { JobStatus } from '../../domain/job-plan.js';
import { type ProcessIdentity, isAlive, membersOf, parseIdentity, self } from './identity.js';
import { jobMarker } from './keeper.js';
import { type JobFolder, createOnce, orUndefined } from './layout.js';

/**
 * The state of a job is a handful of files that are each written once and whole:
 *
 *   claim.G.json   somebody means to start the job (who, for which launch)
 *   started.G      it started: the job's process and its keeper's — or the word `void`: generation G never starts
 *   exit           its exit code, or the word `lost`
 *   kill           the tombstone: from now on nothing starts under this name
 *   killed         it was ended because of the tombstone
 *
 * Generations exist because "never started" must be a fact before a launch may go elsewhere: a keeper on its way would start the job
 * behind the back of whoever found nothing. A void marker makes it one, and a later submit opens generation G+1.
 */
const claimSchema = z.object({
  name: z.string(),
  launchId: z.string(),
  attempt: z.number(),
  agentId: z.string(),
  /** The process that submits. When it is dead and there is no marker, the generation can be voided. */
  submitter: z.object({ pid: z.number(), token: z.string() }),
  graceSeconds: z.number().optional(),
});
export type Claim = z.infer<typeof claimSchema>;

export interface JobFiles {
  generation: number;
  claim: Claim;
  started: 'no' | 'void' | { job: ProcessIdentity; keeper: ProcessIdentity; atMs: number };
  exit: { code: number | undefined; atMs: number } | undefined;
  killed: boolean;
  cutStreams: string[];
}

export const claimFile = (folder: JobFolder, generation: number): string =>
  join(folder.state, `claim.${generation}.json`);
const startedFile = (folder: JobFolder, generation: number): string => join(folder.state, `started.${generation}`);
const exitFile = (folder: JobFolder): string => join(folder.state, 'exit');
export const tombstoneFile = (folder: JobFolder): string => join(folder.state, 'kill');
export const killedFile = (folder: JobFolder): string => join(folder.state, 'killed');
export const cutFile = (folder: JobFolder, stream: string): string => join(folder.state, `${stream}.cut`);

export async function hasTombstone(folder: JobFolder): Promise<boolean> {
  return (await orUndefined(stat(tombstoneFile(folder)))) !== undefined;
}

/** undefined when nobody has ever claimed the name here. */
export async function readJob(folder: JobFolder): Promise<JobFiles | undefined> {
  const names = (await orUndefined(readdir(folder.state))) ?? [];
  const generation = Math.max(0, ...names.map((name) => Number(/^claim\.([0-9]+)\.json$/.exec(name)?.[1] ?? 0)));
  if (generation === 0) return undefined;
  const claimText = await orUndefined(readFile(claimFile(folder, generation), 'utf8'));
  if (claimText === undefined) return undefined;
  return {
    generation,
    claim: claimSchema.parse(JSON.parse(claimText)),
    started: await readStarted(startedFile(folder, generation)),
    exit: await readExit(folder),
    killed: names.includes('killed'),
    cutStreams: names.flatMap((name) => (name.endsWith('.cut') ? [name.slice(0, -4)] : [])),
  };
}

async function readStarted(file: string): Promise<JobFiles['started']> {
  const text = await orUndefined(readFile(file, 'utf8'));
  if (text === undefined) return 'no';
  const [first, second] = text.split('\n');
  const job = parseIdentity(first);
  const keeper = parseIdentity(second);
  if (!job || !keeper) return 'void';
  return { job, keeper, atMs: Math.round((await stat(file)).mtimeMs) };
}

async function readExit(folder: JobFolder): Promise<JobFiles['exit']> {
  const text = await orUndefined(readFile(exitFile(folder), 'utf8'));
  if (text === undefined) return undefined;
  const code = /^[0-9]+\n$/.test(text) ? Number(text) : undefined;
  return { code, atMs: Math.round((await stat(exitFile(folder))).mtimeMs) };
}

/** True when it is settled by this call that the generation never starts. */
export const voidGeneration = (folder: JobFolder, generation: number): Promise<boolean> =>
  createOnce(startedFile(folder, generation), 'void\n');

/** What there is to say about the job now; settles what nobody else is left to settle. */
export async function statusOf(folder: JobFolder): Promise<JobStatus | undefined> {
  for (;;) {
    const files = await readJob(folder);
    if (!files || files.started === 'void') return undefined;
    if (files.started === 'no') {
      if (await isAlive(files.claim.submitter)) return { ...base(files), state: 'starting' };
      if (await voidGeneration(folder, files.generation)) return undefined;
      continue;
    }
    if (files.exit) return ended(files, files.exit);
    const { job, keeper } = files.started;
    if ((await isAlive(keeper)) || (await isAlive(job))) return { ...base(files), state: 'running' };
    // The keeper may have written its last word just now.
    const exit = await readExit(folder);
    if (exit) return ended(files, exit);
    if ((await membersOf(job, jobMarker(files.claim.name))).length > 0) {
      return { ...base(files), state: 'running', reason: 'Its first process has ended, others of it go on.' };
    }
    await createOnce(exitFile(folder), 'lost\n');
  }
}

function base(files: JobFiles): Omit<JobStatus, 'state'> {
  const { name, launchId, attempt, agentId } = files.claim;
  return {
    name,
    launchId,
    attempt,
    agentId,
    ...(typeof files.started === 'object'
      ? { startedAtMs: files.started.atMs, node: `${hostname()}, process ${files.started.job.pid}` }
      : {}),
    ...(files.cutStreams.length > 0
      ? { reason: `Only the first part of its ${files.cutStreams.join(' and ')} was kept.` }
      : {}),
  };
}

function ended(files: JobFiles, exit: NonNullable<JobFiles['exit']>): JobStatus {
  const status: JobStatus = { ...base(files), state: 'ended', endedAtMs: exit.atMs };
  if (files.killed) status.killed = true;
  if (exit.code === undefined) {
    status.lost = true;
    status.reason = 'It ended together with its keeper: the machine was restarted, or somebody killed both.';
    return status;
  }
  status.exitCode = exit.code;
  const signal = signalOfExitCode(exit.code);
  if (signal) status.signal = signal;
  return status;
}

const signals: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

/** A shell reports death by a signal as 128 + its number. */
function signalOfExitCode(code: number): string | undefined {
  if (process.platform === 'linux' && code === 135) return 'SIGBUS';
  return signals[code - 128];
}

export async function newClaim(claim: Omit<Claim, 'submitter'>): Promise<string> {
  return JSON.stringify({ ...claim, submitter: await self() });
}
