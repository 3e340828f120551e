import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuildRequest, BuiltImage } from '../../builders/builder.js';
import { makeFolder, randomName } from '../../targets/process/layout.js';
import { ensureCode } from '../../builders/code/unpack.js';
import type { Builders } from '../../builders/register.js';
import { LaunchError } from '../../domain/errors.js';
import { scriptOfEntryPoint } from '../../domain/job.js';
import type { JobPlan } from '../../domain/job-plan.js';
import { apiBuildLock } from './build-lock.js';
import type { AgentApi } from './agent-api.js';
import { untilAnswered } from './retry.js';

export interface ImageOfJob {
  api: AgentApi;
  builders: Builders;
  claim: string;
  tmpFolder: string;
  signal: AbortSignal;
  onLog(text: string): void;
  fetchCode(toFile: string): Promise<void>;
  secret(name: string): Promise<string>;
  makeRoom?: (() => Promise<void>) | undefined;
}

const limits = { maxCodeBytes: 8 * 1024 ** 3, maxCodeFiles: 200_000 };

/** The image of a job's code, built where it is not there yet; what is known of it is told to the API. */
export async function imageOfJob(parts: ImageOfJob, plan: JobPlan): Promise<BuiltImage> {
  const { api, builders, claim, signal, onLog, secret } = parts;
  const { launchId } = plan;
  let work: string | undefined;
  const source = async (): Promise<string> => {
    await parts.makeRoom?.();
    work ??= join(parts.tmpFolder, `build-${randomName()}`);
    await makeFolder(work);
    const code = join(work, 'code');
    await ensureCode({ root: work, code }, plan.codeDigest, limits, parts.fetchCode, onLog);
    return code;
  };
  try {
    const image = await builders.of(plan.build.builder).ensureImage(requestOf(plan, builders), {
      signal,
      onLog,
      source,
      secret,
      alone: apiBuildLock({ api, launchId, claim }, signal),
    });
    // What code is brought to is told by the target, which knows its digest.
    if (image.codeFolder === undefined) {
      const inUse = { image: image.image, name: image.name, use: 'built' as const };
      await untilAnswered(signal, () => api.reportImage(launchId, claim, inUse, image.facts));
    }
    return image;
  } finally {
    if (work !== undefined) await rm(work, { recursive: true, force: true });
  }
}

function requestOf(plan: JobPlan, { secrets }: Builders): BuildRequest {
  const { codeDigest, pythonVersion, requirements } = plan;
  const { builder: _builder, ...wishes } = plan.build;
  if (codeDigest === undefined)
    throw new LaunchError('prepare-failed', 'prepare', 'The job has no code to build an image of.');
  const script = scriptOfEntryPoint(plan.command);
  const folder = script === undefined ? '.' : dirname(script);
  return {
    sourceDigest: codeDigest,
    pythonVersion,
    requirements,
    entryFolder: folder === '.' ? '' : folder,
    options: { ...wishes, secrets: { ...secrets } },
    owner: ownerOf(plan),
  };
}

/** Whose secrets a build gets, and whose run it is for; by variables that no launch can override. Without them, nobody but the launch. */
const ownerOf = ({ environment, launchId }: JobPlan): string => {
  const owners = [environment['WANDB_LAUNCH_QUEUE_ENTITY'], environment['WANDB_ENTITY']];
  return owners.includes(undefined) ? launchId : owners.join('/');
};
