import type Docker from 'dockerode';
import { LaunchError } from '../../domain/errors.js';
import { parseImageReference, repositoryOf, type ImageReference } from '../../domain/image-reference.js';
import { within } from '../../domain/within.js';
import { type Engine, EngineAway, orMissing } from '../../targets/docker/engine.js';
import type { BuildContext, Builder, BuilderCheck, BuildRequest, BuiltImage } from '../builder.js';
import { ensureImage, type Backend, type BuildRecipe, type ResolvedBase } from '../ensure-image.js';
import { imageFailure } from '../failures.js';
import { engineAuth, type LoginSource } from '../registries/login.js';
import { Registries } from '../registries/registry.js';
import { buildOnEngine } from './build.js';
import { engineReason } from './engine-errors.js';
import { patiently } from './patience.js';
import { pushImage } from './push.js';
import { readLock } from './read-lock.js';

export interface DockerBuilderOptions {
  engine: Engine;
  /** How long an Engine that does not answer is waited for. Default: a minute, as jobs wait for theirs. */
  patienceMs?: number | undefined;
  /** `host/path` to push to; without it images stay in the Engine, and only jobs of that Engine can use them. */
  destination?: string | undefined;
  /** `linux/amd64`; default: the Engine's own. */
  platform?: string | undefined;
  /** Images whose layers may be used again, when they were pushed with their cache. */
  cacheFrom?: readonly string[] | undefined;
  /** `host/path:tag` that each image is pushed to as well, for builders elsewhere to take layers from. */
  cacheTo?: string | undefined;
  logins: LoginSource;
  plainRegistries?: readonly string[] | undefined;
}

const localRepository = 'davit-build';

const defaultPatienceMs = 60_000;
const checkTimeoutMs = 5_000;
/** Each launch asks what its base is: where there is a copy, nobody waits for long. */
const askWithCopyMs = 5_000;
const askMs = 30_000;

interface Platform {
  os: string;
  architecture: string;
}
/** The Engine's answer about an image that a registry has. */
interface Distribution {
  Descriptor: { digest: string };
  Platforms?: Platform[] | null;
}

/** Builds with the BuildKit of a Docker Engine. */
export function createDockerBuilder(options: DockerBuilderOptions): Builder {
  return new DockerBuilder(options);
}

class DockerBuilder implements Builder, Backend {
  readonly name = 'docker';
  readonly repository: string;
  readonly platform: string | undefined;
  private readonly registries: Registries;
  private readonly cacheFrom: readonly string[];

  constructor(private readonly options: DockerBuilderOptions) {
    this.repository = options.destination ?? localRepository;
    this.platform = options.platform;
    this.registries = new Registries(options.logins, options.plainRegistries);
    this.cacheFrom = [...(options.cacheFrom ?? []), ...(options.cacheTo === undefined ? [] : [options.cacheTo])];
  }

  async check(): Promise<BuilderCheck> {
    try {
      const version = await this.options.engine.call((docker) => docker.version(), { ms: checkTimeoutMs });
      const where = this.options.destination ?? 'its own images';
      return {
        ok: true,
        details: [`builds with Docker Engine ${version.Version} (${version.Os}/${version.Arch}) into ${where}`],
      };
    } catch (error) {
      return { ok: false, details: [`no Docker Engine answers: ${engineReason(error)}`] };
    }
  }

  ensureImage(request: BuildRequest, context: BuildContext): Promise<BuiltImage> {
    return ensureImage(this, request, context);
  }

  async ownPlatform(context: BuildContext): Promise<string> {
    const { engine } = this.options;
    const { signal } = context;
    const { Os, Arch } = await this.patiently(context, () => engine.call((docker) => docker.version(), { signal }));
    return `${Os}/${Arch}`;
  }

  resolve(image: ImageReference, context: BuildContext, platform: string): Promise<ResolvedBase> {
    return this.patiently(context, () => this.resolveOnce(image, context, platform));
  }

  private async resolveOnce(image: ImageReference, context: BuildContext, platform: string): Promise<ResolvedBase> {
    const name = `${repositoryOf(image)}:${image.tag ?? 'latest'}`;
    const own = await this.inspect(name, context);
    const copy = own && [{ os: own.Os, architecture: own.Architecture }];
    const pinned = own?.RepoDigests?.find((one) => one.startsWith(`${repositoryOf(image)}@`));
    if (own && pinned === undefined) {
      requirePlatform(name, copy ?? [], platform);
      context.onLog(`The base image ${name} is the Engine's own, from no registry: ${own.Id}\n`);
      return { digest: own.Id, inRegistry: false };
    }
    let found: Distribution;
    try {
      found = await this.ask(image, name, pinned === undefined ? askMs : askWithCopyMs, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof EngineAway || pinned === undefined || !isFor(platform, copy ?? [])) throw error;
      const why = error instanceof Error ? error.message : String(error);
      context.onLog(`${why} The Engine's copy is taken: ${pinned}\n`);
      return { digest: digestIn(pinned), inRegistry: true };
    }
    requirePlatform(name, found.Platforms ?? [], platform);
    const { digest } = found.Descriptor;
    const isNewer = pinned !== undefined && digestIn(pinned) !== digest;
    const copyIs = isNewer ? `, and the Engine's copy another, ${digestIn(pinned)}` : '';
    context.onLog(`The base image ${name} is ${digest} in its registry${copyIs}.\n`);
    return { digest, inRegistry: true };
  }

  /** Through the Engine: it knows mirrors. */
  private async ask(image: ImageReference, name: string, ms: number, context: BuildContext): Promise<Distribution> {
    const { engine, logins } = this.options;
    const { signal } = context;
    const login = await within(signal, ms, (soon) => logins.login(image.host, { ...context, signal: soon }));
    const authconfig = engineAuth(image.host, login);
    try {
      const asked = authconfig === undefined ? {} : { authconfig };
      return await engine.call((docker) => docker.getImage(name).distribution(asked) as Promise<Distribution>, {
        signal,
        ms,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineAway)) throw imageFailure('base', name, engineReason(error), error);
      // Either the Engine is away, which this finds out, or it waits for the registry.
      await engine.call((docker) => docker.ping(), { signal });
      throw new LaunchError(
        'registry-unreachable',
        'prepare',
        `The registry of ${name} did not answer the Engine within ${ms / 1000} s.`,
        error,
      );
    }
  }

  async find(name: string, context: BuildContext): Promise<string | undefined> {
    const image = parseImageReference(name);
    const own = await this.patiently(context, () => this.inspect(name, context));
    if (this.options.destination === undefined) return own?.Id;
    const pushed = own?.RepoDigests?.find((one) => one.startsWith(`${this.repository}@`));
    if (pushed !== undefined || image === undefined) return pushed;
    const digest = await this.registries.digestOf(image, context);
    return digest === undefined ? undefined : `${this.repository}@${digest}`;
  }

  async build(recipe: BuildRecipe, context: BuildContext): Promise<{ image: string; requirementsLock?: string }> {
    const { engine, destination, cacheTo, logins } = this.options;
    const parts = { engine, logins, cacheFrom: this.cacheFrom, withCache: cacheTo !== undefined };
    const id = await this.patiently(context, () => buildOnEngine(parts, recipe, context));
    const requirementsLock = recipe.hasLock
      ? await this.patiently(context, () => readLock(engine, id, context.signal))
      : undefined;
    const lock = requirementsLock === undefined ? {} : { requirementsLock };
    if (destination === undefined) return { image: id, ...lock };
    const digest = await this.patiently(context, () => pushImage(this.options, recipe.name, context));
    if (cacheTo !== undefined) await this.pushCache(id, cacheTo, context);
    return { image: `${destination}@${digest}`, ...lock };
  }

  /** Only saves time: without it the image is no worse. */
  private async pushCache(id: string, cacheTo: string, context: BuildContext): Promise<void> {
    const target = parseImageReference(cacheTo);
    if (!target) return;
    const tag = target.tag ?? 'latest';
    const { signal } = context;
    try {
      const name = { repo: repositoryOf(target), tag };
      await this.options.engine.call((docker) => docker.getImage(id).tag(name), { signal });
      await pushImage(this.options, `${repositoryOf(target)}:${tag}`, context);
    } catch (error) {
      signal.throwIfAborted();
      context.onLog(`The cache was not pushed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  private async inspect(name: string, { signal }: BuildContext): Promise<Docker.ImageInspectInfo | undefined> {
    const { engine } = this.options;
    try {
      return await engine.call((docker) => orMissing(docker.getImage(name).inspect()), { signal });
    } catch (error) {
      if (signal.aborted || error instanceof EngineAway) throw error;
      throw new LaunchError(
        'builder-unavailable',
        'prepare',
        `The Docker Engine does not say whether it has ${name}: ${engineReason(error)}.`,
        error,
      );
    }
  }

  private patiently<T>(context: BuildContext, work: () => Promise<T>): Promise<T> {
    const { engine, patienceMs = defaultPatienceMs } = this.options;
    return patiently({ engine, patienceMs }, context, work);
  }
}

const digestIn = (pinned: string): string => pinned.slice(pinned.indexOf('@') + 1);

function isFor(platform: string, has: readonly Platform[]): boolean {
  const [os, architecture] = platform.split('/');
  return has.length === 0 || has.some((one) => one.os === os && one.architecture === architecture);
}

/** An image of a single platform is used by the Engine whatever it was asked for; what is in it then fails in strange ways. */
function requirePlatform(name: string, has: readonly Platform[], platform: string): void {
  if (isFor(platform, has)) return;
  const there = has.map((one) => `${one.os}/${one.architecture}`).join(', ');
  throw new LaunchError(
    'image-architecture',
    'prepare',
    `The base image ${name} does not exist for ${platform}; it exists for ${there}.`,
  );
}
