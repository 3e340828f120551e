import type Docker from 'dockerode';
import { LaunchError } from '../../domain/errors.js';
import type { DockerTargetConfig } from './config.js';
import type { Disk } from './disk.js';
import { type Engine, EngineAway, orMissing, reasonOf } from './engine.js';
import { label } from './names.js';
import type { DockerSpec } from './plan.js';
import { PullProgress } from './pull-progress.js';

export interface RegistryLogin {
  username: string;
  password: string;
}

export interface ImageContext {
  signal: AbortSignal;
  onLog(text: string): void;
  /** What opens the registry; undefined: nothing is needed, or nobody knows. */
  login(host: string): Promise<RegistryLogin | undefined>;
}

export interface Image {
  id: string;
  /** `name@sha256:…`, when a registry has it. */
  digest: string | undefined;
  workingDir: string;
  path: string | undefined;
  /** Made of code, by whatever builder. */
  isBuilt: boolean;
}

/**
 * Makes the image be there, by the policy: `newer` asks the registry and makes do with what is there when it does not answer, as wandb's agent
 * does; a reference by digest stands for one image for ever and is pulled once.
 */
export async function ensureImage(
  engine: Engine,
  disk: Disk,
  config: DockerTargetConfig,
  spec: Pick<DockerSpec, 'image' | 'pull' | 'platform'>,
  context: ImageContext,
): Promise<Image> {
  const { image, pull, platform } = spec;
  const isLocalId = /^(sha256:)?[0-9a-f]{64}$/.test(image);
  const there = await localImage(engine, config, image, platform, context);
  const isFixed = isLocalId || image.includes('@sha256:');
  const mustAsk = pull === 'always' || (pull === 'newer' && !(isFixed && there)) || (pull === 'missing' && !there);
  if (there && (!mustAsk || isLocalId)) {
    context.onLog(`Image ${image} is on the Engine.\n`);
    await noteUse(disk, image, there, false);
    return there;
  }
  if (pull === 'never' || isLocalId) {
    const why = pull === 'never' ? 'and the config says pull: never' : 'and an id alone cannot be pulled';
    throw failed(`The image ${image} is not on the Engine, ${why}.`);
  }
  try {
    await disk.makeRoom(context);
    await pullImage(engine, config, image, platform, context);
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    if (!there || pull === 'always' || !(error instanceof LaunchError) || error.code !== 'image-pull-failed')
      throw error;
    context.onLog(`${error.message} The copy that is on the Engine is used.\n`);
    return there;
  }
  const pulled = await localImage(engine, config, image, platform, context);
  if (!pulled) throw failed(`The image ${image} was pulled, and the Engine does not have it.`);
  await noteUse(disk, image, pulled, !there);
  return pulled;
}

async function noteUse(disk: Disk, image: string, { id, isBuilt }: Image, pulledNow: boolean): Promise<void> {
  await disk.usedImage(image, { pulledNow });
  if (isBuilt) await disk.used(id);
}

async function localImage(
  engine: Engine,
  config: DockerTargetConfig,
  image: string,
  platform: string | undefined,
  context: ImageContext,
): Promise<Image | undefined> {
  const found = await engine.patiently((docker) => orMissing(docker.getImage(image).inspect()), {
    signal: context.signal,
    patienceMs: config.patienceMs,
    onAway: (error) => context.onLog(`${error.message}\n`),
  });
  if (!found) return undefined;
  const { Os, Architecture, RepoDigests, Config } = found;
  if (platform !== undefined && !`${Os}/${Architecture}`.startsWith(platform.split('/').slice(0, 2).join('/')))
    return undefined;
  const path = (Config.Env as string[] | null)?.find((pair) => pair.startsWith('PATH='))?.slice('PATH='.length);
  const digests = (RepoDigests as string[] | null) ?? [];
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return {
    id: found.Id,
    digest: digests.find((each) => each.startsWith(`${repository}@`)) ?? digests[0],
    workingDir: Config.WorkingDir || '/',
    path,
    isBuilt: (Config.Labels as Record<string, string> | null)?.[label.inputs] !== undefined,
  };
}

async function pullImage(
  engine: Engine,
  config: DockerTargetConfig,
  image: string,
  platform: string | undefined,
  context: ImageContext,
): Promise<void> {
  const { signal, onLog } = context;
  onLog(`Pulling ${image}${platform === undefined ? '' : ` for ${platform}`} …\n`);
  const deadlineMs = Date.now() + config.patienceMs;
  for (;;) {
    try {
      await pullOnce(engine, image, platform, context);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineAway))
        throw error instanceof LaunchError ? error : pullFailure(image, reasonOf(error), platform);
      if (Date.now() > deadlineMs) throw error;
      // What was pulled of it is kept by the Engine.
      onLog(`${error.message}; it is asked again.\n`);
      await engine.patiently((docker) => docker.ping(), { signal, patienceMs: config.patienceMs });
    }
  }
}

async function pullOnce(
  engine: Engine,
  image: string,
  platform: string | undefined,
  { signal, onLog, login }: ImageContext,
): Promise<void> {
  const auth = await login(registryOf(image));
  const query = {
    ...referenceParts(image),
    ...(platform === undefined ? {} : { platform }),
  };
  // The answer comes when the registry has answered.
  const create = (docker: Docker) => docker.createImage(auth ?? {}, query) as unknown as Promise<PullStream>;
  const stream = await engine.call(create, { signal, ms: 5 * 60_000 });
  const end = (): void => stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  const progress = new PullProgress(onLog);
  try {
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) progress.line(line);
    }
    progress.line(rest);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new EngineAway(`The Docker Engine broke off the pull: ${reasonOf(error)}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
  if (progress.error !== undefined) throw pullFailure(image, progress.error, platform);
  // A stream that ends without the last word was cut off: the Engine died.
  if (!progress.isComplete) throw new EngineAway('The Docker Engine broke off the pull');
}

type PullStream = NodeJS.ReadableStream & { destroy(): void };

/** `registry/name:tag` as the Engine wants it, in two parts; without a tag it would pull every one. */
function referenceParts(image: string): { fromImage: string; tag: string } {
  const at = image.indexOf('@');
  if (at >= 0) return { fromImage: image.slice(0, at), tag: image.slice(at + 1) };
  const colon = image.lastIndexOf(':');
  return colon > image.lastIndexOf('/')
    ? { fromImage: image.slice(0, colon), tag: image.slice(colon + 1) }
    : { fromImage: image, tag: 'latest' };
}

/** The part before the first slash is a host when it looks like one; else it is Docker Hub. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

const failed = (message: string): LaunchError => new LaunchError('image-pull-failed', 'prepare', message);

function pullFailure(image: string, reason: string, platform: string | undefined): LaunchError {
  const host = registryOf(image);
  if (/no space left on device/i.test(reason))
    return new LaunchError('disk-full', 'prepare', `There was no room on the Engine's disk for the image ${image}.`);
  if (/no matching manifest|does not match the specified platform|no match for platform/i.test(reason))
    return failed(`The image ${image} does not exist for ${platform ?? "the Engine's architecture"}.`);
  if (/unauthorized|no basic auth|authentication required|denied/i.test(reason)) {
    return failed(
      `The registry ${host} did not give out ${image}: it does not exist, or its credentials are missing or wrong (${reason}).`,
    );
  }
  if (/manifest unknown|not found|does not exist|name unknown/i.test(reason))
    return failed(`The registry ${host} has no image ${image}.`);
  if (
    /dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|EOF|temporary failure|server misbehaving/i.test(
      reason,
    )
  )
    return failed(`The registry ${host} could not be reached by the Engine: ${reason}.`);
  return failed(`The image ${image} could not be pulled: ${reason}.`);
}
