import { randomBytes } from 'node:crypto';
import { newLaunchId, remoteName } from '../../domain/ids.js';
import type { JobPlan, JobStatus, PlanRequest } from '../../domain/job-plan.js';
import type { PrepareContext, Target } from '../../targets/target.js';

/** A request for a new launch that runs the command. */
export function planRequest(parts: Partial<PlanRequest> & { command: string[] }): PlanRequest {
  const launchId = newLaunchId(Date.now(), randomBytes);
  return {
    launchId,
    attempt: 1,
    name: remoteName(launchId, 1),
    source: { kind: 'code' },
    build: {},
    entryPoint: parts.command,
    args: [],
    workingDir: '',
    environment: {},
    requirements: undefined,
    pythonVersion: undefined,
    codeDigest: undefined,
    resourceConfig: {},
    ...parts,
  };
}

export const shell = (script: string): string[] => ['sh', '-c', script];

export const never = (): AbortSignal => new AbortController().signal;

export const prepareContext = (parts: Partial<PrepareContext> = {}): PrepareContext => ({
  signal: never(),
  onLog: () => undefined,
  fetchCode: () => Promise.reject(new Error('this job has no code')),
  secret: (name) => Promise.reject(new Error(`this launch has no secret ${name}`)),
  onImage: () => Promise.resolve(),
  ...parts,
});

export const submitContext = (agentId = 'agent-1', secrets: Record<string, string> = {}) => ({
  signal: never(),
  secrets,
  agentId,
});

/** Plans, prepares and submits. */
export async function start(target: Target, parts: Partial<PlanRequest> & { command: string[] }): Promise<JobPlan> {
  const plan = target.plan(planRequest(parts));
  await target.prepare(plan, prepareContext());
  await target.submit(plan, submitContext());
  return plan;
}

export async function endOf(target: Target, name: string): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of target.follow(name, AbortSignal.timeout(60_000))) last = status;
  if (last?.state !== 'ended') throw new Error(`${name} has not ended: ${JSON.stringify(last)}`);
  return last;
}

export async function outputOf(
  target: Target,
  name: string,
  stream: 'stdout' | 'stderr' = 'stdout',
  fromByte = 0,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let position = fromByte;
  for await (const piece of target.logs(name, stream, fromByte, AbortSignal.timeout(60_000))) {
    if (piece.fromByte !== position) throw new Error(`a piece at ${piece.fromByte} came at ${position}`);
    pieces.push(piece.data);
    position += piece.data.length;
  }
  return Buffer.concat(pieces).toString('utf8');
}
