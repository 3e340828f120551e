import { LaunchError } from './errors.js';
import { digestOfGit } from './git-digest.js';
import { remoteName } from './ids.js';
import { jobEnvironment } from './job-environment.js';
import type { BuildWishes, PlanRequest, PlanSource } from './job-plan.js';
import type { LaunchRequest } from './launch-request.js';
import { applyMacros, splitBuilder, type LaunchMacros } from './resource-config.js';
import type { ResolvedLaunch } from './resolved-launch.js';

/** What a job's version says of itself, as far as running it goes. */
export interface JobSource {
  kind: 'code' | 'git' | 'image';
  /** Program and fixed arguments. */
  entryPoint: string[];
  /** Only image jobs: fixed arguments where the entry point is the image's own. */
  args?: string[];
  requirements: string | undefined;
  /** `3.N`. */
  pythonVersion: string | undefined;
  codeDigest: string | undefined;
  git?: { remote: string; commit: string; credentials?: string; patchDigest?: string };
  image?: string;
  build?: BuildWishes;
}

/** An image that somebody runs without a job. */
export const imageSource = (image: string): JobSource => ({
  kind: 'image',
  entryPoint: [],
  requirements: undefined,
  pythonVersion: undefined,
  codeDigest: undefined,
  image,
});

export interface PlanFacts {
  launchId: string;
  attempt: number;
  resolved: ResolvedLaunch;
  overrides: LaunchRequest['overrides'];
  source: JobSource;
  /** Where the job reaches the API. */
  apiUrl: string;
}

/** Merge order: job, then the queue's config, then the launch's overrides; macros last. The same for preview and submit. */
export function planRequestOf(facts: PlanFacts): PlanRequest {
  const { launchId, attempt, resolved, overrides, source } = facts;
  const { config: resourceConfig, ...fromConfig } = splitBuilder(resolved.resourceConfig);
  const planned = planSource(source, resolved, overrides?.image);
  const entryPoint = overrides?.entryPoint ?? source.entryPoint;
  // An entry point of the launch's own takes the place of what the job says, arguments included.
  const args = [...(overrides?.entryPoint ? [] : (source.args ?? [])), ...(overrides?.args ?? [])];
  if (planned.kind !== 'image' && entryPoint.length === 0)
    throw new LaunchError('missing-entry-point', 'prepare', 'Neither the job nor the launch says what to run.');
  return {
    launchId,
    attempt,
    name: remoteName(launchId, attempt),
    source: planned,
    build: planned.kind === 'image' ? {} : buildWishes(source.build, fromConfig, overrides),
    entryPoint,
    args,
    command: [...entryPoint, ...args],
    workingDir: overrides?.workingDir ?? '',
    environment: {
      ...overrides?.environment,
      ...jobEnvironment({ launchId, attempt, resolved, overrides, apiUrl: facts.apiUrl }),
    },
    requirements: source.requirements,
    pythonVersion: source.pythonVersion,
    codeDigest: planned.kind === 'git' ? digestOfGit(planned, source.git?.patchDigest) : source.codeDigest,
    resourceConfig: applyMacros(resourceConfig, macrosOf(resolved)),
  };
}

function planSource(source: JobSource, resolved: ResolvedLaunch, image = source.image): PlanSource {
  switch (source.kind) {
    case 'code':
      return { kind: 'code' };
    case 'image':
      if (image === undefined) throw new LaunchError('unknown-job', 'prepare', 'The image job names no image.');
      return { kind: 'image', image };
    case 'git': {
      const { git } = source;
      if (git === undefined) throw new LaunchError('unknown-job', 'prepare', 'The git job names no repository.');
      const commit = resolved.git?.commit ?? git.commit;
      return {
        kind: 'git',
        remote: git.remote,
        commit,
        ...(git.credentials === undefined ? {} : { credentials: git.credentials }),
        // What was changed on top of one commit says nothing about another.
        ...(git.patchDigest !== undefined && commit === git.commit ? { patched: true } : {}),
      };
    }
  }
}

/** The `builder` part of the resource config, then the job, then overrides. A base image and a Dockerfile exclude each other: the later one wins. */
function buildWishes(
  job: BuildWishes = {},
  config: Pick<BuildWishes, 'baseImage' | 'acceleratorBaseImage'>,
  { image, dockerfile, buildContext, baseImage, builder }: NonNullable<LaunchRequest['overrides']> = {},
): BuildWishes {
  const own: BuildWishes = {
    ...(image === undefined ? {} : { image }),
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(buildContext === undefined ? {} : { context: buildContext }),
    ...(baseImage === undefined ? {} : { baseImage }),
    ...(builder === undefined ? {} : { builder }),
  };
  let wishes: BuildWishes = {};
  for (const layer of [config as BuildWishes, job, own]) {
    const replaced: BuildWishes = { ...wishes };
    if (layer.baseImage !== undefined) {
      delete replaced.dockerfile;
      delete replaced.context;
    } else if (layer.dockerfile !== undefined) delete replaced.baseImage;
    wishes = { ...replaced, ...layer };
  }
  return wishes;
}

const macrosOf = (resolved: ResolvedLaunch): LaunchMacros => ({
  project_name: resolved.project,
  entity_name: resolved.entity,
  run_id: resolved.runName,
  run_name: resolved.displayName ?? resolved.runName,
  author: resolved.author,
});
