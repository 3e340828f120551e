import { posix } from 'node:path';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import type { JobPlan, PlanRequest } from '../../domain/job-plan.js';
import { labels } from './names.js';
import { readResourceConfig, type DockerResources } from './resource-config.js';

/** Where code and environment of a job without an image of its own lie in its container. */
export const codeFolder = '/davit/code';
export const environmentFolder = '/davit/environment';

export const pullPolicies = ['always', 'newer', 'missing', 'never'] as const;

/** What the operator of an agent decides for every job on his Engine. */
export interface PlanSettings {
  /** Of the Engine: the name of a network, `host`, or undefined: as the address of the API needs it. */
  network?: string | undefined;
  /** The API as containers reach it, when it is not the address that everybody else uses. */
  apiUrl?: string | undefined;
  /** `host path:container path[:ro]`, or the name of a volume in place of the first. */
  volumes?: readonly string[] | undefined;
  /** For code that is run without a builder and names no image. */
  baseImage?: string | undefined;
  pull?: (typeof pullPolicies)[number] | undefined;
  /** Of output of one job that the Engine keeps. */
  maxLogBytes?: number | undefined;
}

const specSchema = z.object({
  /** As it was asked for; what it stands for is settled when the job is prepared. */
  image: z.string(),
  pull: z.enum(pullPolicies),
  platform: z.string().optional(),
  /** `mounted`: the code is put into the container when it is made. */
  code: z.enum(['mounted', 'in-image']),
  environment: z.record(z.string(), z.string()),
  graceSeconds: z.number().optional(),
  /** The body of the Engine's call that creates the container, but for variables and labels that come with the claim. */
  container: z.looseObject({ WorkingDir: z.string().optional(), HostConfig: z.looseObject({}) }),
});
export type DockerSpec = z.infer<typeof specSchema>;

/** A plan travels and comes back as plain data. */
export const specOf = (plan: JobPlan): DockerSpec => specSchema.parse(plan.spec);

const defaultPythonVersion = '3.12';
const defaultMaxLogBytes = 1024 ** 3;

export function planDocker(request: PlanRequest, settings: PlanSettings = {}): JobPlan {
  const resources = readResourceConfig(request.resourceConfig);
  const odd = Object.keys(request.environment).find((name) => name === '' || /[=\0]/.test(name));
  if (odd !== undefined)
    throw new DavitError('invalid-request', `"${odd}" cannot be the name of a variable of a container.`);
  const isImage = request.source.kind === 'image';
  const image =
    request.source.kind === 'image'
      ? request.source.image
      : // What an image is made on: its own name is known when it is made.
        (request.build.baseImage ?? settings.baseImage ?? `python:${request.pythonVersion ?? defaultPythonVersion}`);
  requireReference(image);
  const environment = {
    // Output that waits in a buffer is no help to who watches a run.
    PYTHONUNBUFFERED: '1',
    DAVIT_JOB_NAME: request.name,
    ...resources.env,
    ...request.environment,
    ...(settings.apiUrl === undefined || request.environment['WANDB_BASE_URL'] === undefined
      ? {}
      : { WANDB_BASE_URL: settings.apiUrl }),
  };
  const workingDir = workingDirOf(request, resources, isImage);
  const spec: DockerSpec = {
    image,
    pull: resources.pull ?? settings.pull ?? 'newer',
    ...(resources.platform === undefined ? {} : { platform: resources.platform }),
    code: isImage ? 'in-image' : 'mounted',
    environment,
    ...(resources.graceSeconds === undefined ? {} : { graceSeconds: resources.graceSeconds }),
    container: {
      Image: image,
      ...commandOf(request, resources, isImage),
      ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
      ...(resources.name === undefined ? {} : { Hostname: resources.name }),
      Labels: labels.ofPlan(request),
      HostConfig: hostConfig(resources, settings, environment['WANDB_BASE_URL']),
    },
  };
  // An image that is made of the code is for where it runs.
  const { platform } = resources;
  const build = isImage || platform === undefined ? request.build : { ...request.build, platform };
  return { ...request, build, target: 'docker', spec: { ...spec } };
}

/** As `docker run` reads it, so that nobody is surprised by what the Engine makes of it later. */
function requireReference(image: string): void {
  const isReference =
    image.length <= 1024 &&
    /^[a-z0-9A-Z][a-zA-Z0-9._:/@-]*$/.test(image) &&
    !image.includes('//') &&
    !/[/:@]$/.test(image);
  if (!isReference)
    throw new DavitError('invalid-request', `"${image.slice(0, 200)}" is not a reference of an image.`, {
      errors: [{ path: 'image', message: 'write registry/name:tag or registry/name@sha256:digest' }],
    });
}

/** An image job without an entry point starts what its image starts; arguments alone go to the entry point of the image. */
function commandOf(
  { entryPoint, args }: PlanRequest,
  { command }: DockerResources,
  isImage: boolean,
): { Entrypoint?: string[]; Cmd?: string[] } {
  const configured = typeof command === 'string' ? command.split(/\s+/).filter((word) => word !== '') : command;
  // Without `Cmd`, the one of the image would follow: an entry point of our own replaces both.
  if (entryPoint.length > 0) return { Entrypoint: entryPoint, Cmd: args };
  if (!isImage) throw new DavitError('missing-entry-point');
  const words = [...(configured ?? []), ...args];
  return words.length === 0 ? {} : { Cmd: words };
}

function workingDirOf(request: PlanRequest, resources: DockerResources, isImage: boolean): string | undefined {
  const inside = request.workingDir;
  // Relative to what the image says, which is known when the image is.
  if (isImage) return resources.workdir === undefined ? inside || undefined : posix.join(resources.workdir, inside);
  return resources.workdir ?? posix.join(codeFolder, inside);
}

function hostConfig(
  resources: DockerResources,
  settings: PlanSettings,
  apiUrl: string | undefined,
): Record<string, unknown> {
  const set = <T>(key: string, value: T | undefined) => (value === undefined ? {} : { [key]: value });
  return {
    // A first process that passes signals on and buries the dead: most programs do neither when they are number one.
    Init: true,
    NetworkMode: settings.network ?? (apiUrl !== undefined && isLoopback(apiUrl) ? 'host' : 'bridge'),
    RestartPolicy: { Name: 'no' },
    LogConfig: {
      // One that can be read again, from any time on, whatever the Engine does by default.
      Type: 'json-file',
      Config: { 'max-size': String(settings.maxLogBytes ?? defaultMaxLogBytes), 'max-file': '2' },
    },
    ...set('Binds', settings.volumes && settings.volumes.length > 0 ? [...settings.volumes] : undefined),
    ...set('NanoCpus', resources.cpus && Math.round(resources.cpus * 1e9)),
    ...set('CpuPeriod', resources['cpu-period']),
    ...set('CpuQuota', resources['cpu-quota']),
    ...set('CpuShares', resources['cpu-shares']),
    ...set('CpusetCpus', resources['cpuset-cpus']),
    ...set('CpusetMems', resources['cpuset-mems']),
    ...set('Memory', resources.memory),
    ...set('MemoryReservation', resources['memory-reservation']),
    ...set('MemorySwap', resources['memory-swap']),
    ...set('PidsLimit', resources['pids-limit']),
    ...set('ShmSize', resources['shm-size']),
    ...set('Ulimits', resources.ulimit),
    ...set('DeviceRequests', resources.gpus && [{ Driver: '', ...resources.gpus, Capabilities: [['gpu']] }]),
  };
}

/** An API that listens on its own machine alone is reached from that machine's network only. */
export function isLoopback(url: string): boolean {
  try {
    const { hostname } = new URL(url);
    return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]+){3}$/.test(hostname);
  } catch {
    return false;
  }
}
