import type Docker from 'dockerode';
import { LaunchError } from '../../domain/errors.js';
import { parseImageReference, repositoryOf, type ImageReference } from '../../domain/image-reference.js';
import type { BuildContext, Builder, BuilderCheck, BuildRequest, BuiltImage } from '../builder.js';
import { ensureImage, type Backend, type BuildRecipe, type ResolvedBase } from '../ensure-image.js';
import { imageFailure } from '../failures.js';
import { engineAuth, type LoginSource } from '../registries/login.js';
import { Registries } from '../registries/registry.js';
import { buildOnEngine } from './build.js';
import { engineReason, isAbsent } from './engine-errors.js';
import { pushImage } from './push.js';
import { readLock } from './read-lock.js';

export interface DockerBuilderOptions {
  engine: Docker;
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
      const version = await this.options.engine.version();
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

  async resolve(image: ImageReference, context: BuildContext, platform: string | undefined): Promise<ResolvedBase> {
    const name = `${repositoryOf(image)}:${image.tag ?? 'latest'}`;
    const { engine } = this.options;
    // The Engine's own copy comes first, since its builds take that one, too.
    const own = await this.inspect(name);
    if (own) {
      await this.requirePlatform(name, [{ os: own.Os, architecture: own.Architecture }], platform);
      const pinned = own.RepoDigests?.find((one) => one.startsWith(`${repositoryOf(image)}@`));
      return pinned === undefined
        ? { digest: own.Id, inRegistry: false }
        : { digest: pinned.slice(pinned.indexOf('@') + 1), inRegistry: true };
    }
    const authconfig = engineAuth(image.host, await this.options.logins.login(image.host, context));
    let found: Distribution;
    try {
      // Asked through the Engine: it knows mirrors.
      found = await engine.getImage(name).distribution(authconfig === undefined ? {} : { authconfig });
    } catch (error) {
      throw imageFailure('base', name, engineReason(error), error);
    }
    await this.requirePlatform(name, found.Platforms ?? [], platform);
    return { digest: found.Descriptor.digest, inRegistry: true };
  }

  /** An image of a single platform is used by the Engine whatever it was asked for; what is in it then fails in strange ways. */
  private async requirePlatform(name: string, has: readonly Platform[], platform: string | undefined): Promise<void> {
    if (has.length === 0) return;
    const { Os, Arch } = platform === undefined ? await this.options.engine.version() : { Os: '', Arch: '' };
    const [os, architecture] = (platform ?? `${Os}/${Arch}`).split('/');
    if (has.some((one) => one.os === os && one.architecture === architecture)) return;
    const there = has.map((one) => `${one.os}/${one.architecture}`).join(', ');
    throw new LaunchError(
      'image-architecture',
      'prepare',
      `The base image ${name} does not exist for ${os}/${architecture}; it exists for ${there}.`,
    );
  }

  async find(name: string, context: BuildContext): Promise<string | undefined> {
    const image = parseImageReference(name);
    const own = await this.inspect(name);
    if (this.options.destination === undefined) return own?.Id;
    const pushed = own?.RepoDigests?.find((one) => one.startsWith(`${this.repository}@`));
    if (pushed !== undefined || image === undefined) return pushed;
    const digest = await this.registries.digestOf(image, context);
    return digest === undefined ? undefined : `${this.repository}@${digest}`;
  }

  async build(recipe: BuildRecipe, context: BuildContext): Promise<{ image: string; requirementsLock?: string }> {
    const { engine, destination, cacheTo, logins } = this.options;
    const id = await buildOnEngine(
      { engine, logins, cacheFrom: this.cacheFrom, withCache: cacheTo !== undefined },
      recipe,
      context,
    );
    const requirementsLock = recipe.hasLock ? await readLock(engine, id) : undefined;
    const lock = requirementsLock === undefined ? {} : { requirementsLock };
    if (destination === undefined) return { image: id, ...lock };
    const digest = await pushImage(this.options, recipe.name, context);
    if (cacheTo !== undefined) await this.pushCache(id, cacheTo, context);
    return { image: `${destination}@${digest}`, ...lock };
  }

  /** Only saves time: without it the image is no worse. */
  private async pushCache(id: string, cacheTo: string, context: BuildContext): Promise<void> {
    const target = parseImageReference(cacheTo);
    if (!target) return;
    const tag = target.tag ?? 'latest';
    try {
      await this.options.engine.getImage(id).tag({ repo: repositoryOf(target), tag });
      await pushImage(this.options, `${repositoryOf(target)}:${tag}`, context);
    } catch (error) {
      context.signal.throwIfAborted();
      context.onLog(`The cache was not pushed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  private async inspect(name: string): Promise<Docker.ImageInspectInfo | undefined> {
    try {
      return await this.options.engine.getImage(name).inspect();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw new LaunchError(
        'builder-unavailable',
        'prepare',
        `The Docker Engine does not answer: ${engineReason(error)}.`,
        error,
      );
    }
  }
}
