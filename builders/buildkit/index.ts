import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { LaunchError } from '../../domain/errors.js';
import { imageName, parseImageReference, type ImageReference } from '../../domain/image-reference.js';
import { within } from '../../domain/within.js';
import type { BuildContext, Builder, BuilderCheck, BuildRequest, BuiltImage } from '../builder.js';
import { dockerfileName, ensureImage, type Backend, type BuildRecipe, type ResolvedBase } from '../ensure-image.js';
import { buildFailure, isUnreachable } from '../failures.js';
import { firstFile } from '../first-file.js';
import { registryHost, type LoginSource } from '../registries/login.js';
import { Registries, whileUnreachable } from '../registries/registry.js';
import { BuildkitClient, type BuildkitAddress, type SolveRequest } from './client.js';
import { Progress } from './progress.js';
import { Session } from './session.js';

export interface BuildkitBuilderOptions {
  address: BuildkitAddress;
  /** `host/path` to push to: a daemon keeps no images of its own. */
  destination: string;
  platform?: string | undefined;
  /** Where layers may be taken from: `host/path:tag`. */
  cacheFrom?: readonly string[] | undefined;
  /** Where all layers are kept for later builds, also of other daemons. */
  cacheTo?: string | undefined;
  logins: LoginSource;
  plainRegistries?: readonly string[] | undefined;
}

/** Builds with a BuildKit daemon, on this machine, on another one, or in a cluster. */
export function createBuildkitBuilder(options: BuildkitBuilderOptions): Builder {
  return new BuildkitBuilder(options);
}

const checkPatienceMs = 5_000;

class BuildkitBuilder implements Builder, Backend {
  readonly name = 'buildkit';
  readonly repository: string;
  readonly platform: string | undefined;
  private readonly client: BuildkitClient;
  private readonly registries: Registries;
  /** As the daemon last said. */
  private platforms: string[] = [];

  constructor(private readonly options: BuildkitBuilderOptions) {
    this.repository = options.destination;
    this.platform = options.platform;
    this.client = new BuildkitClient(options.address);
    this.registries = new Registries(options.logins, options.plainRegistries);
  }

  async check(): Promise<BuilderCheck> {
    const { url } = this.options.address;
    try {
      await this.askPlatforms(new AbortController().signal);
      return {
        ok: true,
        details: [`builds with BuildKit at ${url} (${this.platforms.join(', ')}) into ${this.repository}`],
      };
    } catch (error) {
      return { ok: false, details: [`no BuildKit daemon answers at ${url}: ${messageOf(error)}`] };
    }
  }

  ensureImage(request: BuildRequest, context: BuildContext): Promise<BuiltImage> {
    return ensureImage(this, request, context);
  }

  /** A daemon that is away may have built before what is wanted now, so what it said then counts. */
  async ownPlatform({ signal }: BuildContext): Promise<string> {
    let cause: unknown;
    try {
      await this.askPlatforms(signal);
    } catch (error) {
      signal.throwIfAborted();
      cause = error;
    }
    const [platform] = this.platforms;
    if (platform !== undefined) return platform;
    const why = cause === undefined ? 'does not say what it builds for' : `does not answer: ${messageOf(cause)}`;
    throw new LaunchError('builder-unavailable', 'prepare', `The BuildKit daemon ${why}.`, cause);
  }

  private async askPlatforms(signal: AbortSignal): Promise<void> {
    const workers = await within(signal, checkPatienceMs, (soon) => this.client.workers(soon));
    // The first one is its own; others it may emulate.
    const all = workers.flatMap(({ Platforms }) => Platforms.map((one) => `${one.OS}/${one.Architecture}`));
    this.platforms = [...new Set(all)];
  }

  async resolve(image: ImageReference, context: BuildContext): Promise<ResolvedBase> {
    const digest = await this.registries.digestOf(image, context);
    if (digest === undefined)
      throw new LaunchError(
        'base-image-unknown',
        'prepare',
        `The base image ${imageName(image)} was not found by its registry.`,
      );
    return { digest, inRegistry: true };
  }

  async find(name: string, context: BuildContext): Promise<string | undefined> {
    const image = parseImageReference(name);
    const digest = image && (await this.registries.digestOf(image, context));
    return digest === undefined ? undefined : `${this.repository}@${digest}`;
  }

  async build(recipe: BuildRecipe, context: BuildContext): Promise<{ image: string; requirementsLock?: string }> {
    const { signal, onLog } = context;
    const plain = this.registries.isPlain(parseImageReference(recipe.name)?.host ?? '');
    const pushed = await whileUnreachable(
      signal,
      (reason) => onLog(`The build broke, trying again: ${reason}\n`),
      () =>
        this.solve(recipe, context, {
          Exporter: 'image',
          ExporterAttrs: {
            name: recipe.name,
            push: 'true',
            ...(plain ? { 'registry.insecure': 'true' } : {}),
          },
          Cache: this.cache(),
        }),
    );
    const digest = pushed['containerimage.digest'];
    if (digest === undefined)
      throw new LaunchError('builder-unavailable', 'prepare', 'The BuildKit daemon ended the build without a result.');
    const requirementsLock = recipe.hasLock ? await this.readLock(recipe, context) : undefined;
    return { image: `${this.repository}@${digest}`, ...(requirementsLock === undefined ? {} : { requirementsLock }) };
  }

  private cache(): SolveRequest['Cache'] {
    const { cacheFrom = [], cacheTo } = this.options;
    const entry = (ref: string, more: Record<string, string> = {}) => {
      const plain = this.registries.isPlain(parseImageReference(ref)?.host ?? '');
      return { Type: 'registry', Attrs: { ref, ...(plain ? { 'registry.insecure': 'true' } : {}), ...more } };
    };
    return {
      Imports: [...cacheFrom, ...(cacheTo === undefined ? [] : [cacheTo])].map((ref) => entry(ref)),
      // Without it, the image is no worse: a cache that cannot be written is passed over.
      Exports: cacheTo === undefined ? [] : [entry(cacheTo, { mode: 'max', 'ignore-error': 'true' })],
    };
  }

  /** A stage of the same Dockerfile that holds nothing but the list; all it is made of is there already. */
  private async readLock(recipe: BuildRecipe, context: BuildContext): Promise<string | undefined> {
    const archive = new PassThrough();
    const text = firstFile(archive);
    const quiet: BuildContext = { ...context, onLog: () => undefined };
    await this.solve(
      { ...recipe, target: 'lock' },
      quiet,
      { Exporter: 'tar', ExporterAttrs: {}, Cache: { Imports: [], Exports: [] } },
      (data) => void archive.write(data),
    );
    archive.end();
    return text;
  }

  private async solve(
    recipe: BuildRecipe,
    context: BuildContext,
    exporting: Pick<SolveRequest, 'Exporter' | 'ExporterAttrs' | 'Cache'>,
    received?: (data: Buffer) => void,
  ): Promise<Record<string, string>> {
    const { signal, onLog } = context;
    const archive = await recipe.archive();
    const session = new Session({
      credentials: (host) => this.options.logins.login(registryHost(host), context),
      secret: async (id) => {
        const value = recipe.secrets.get(id);
        return value === undefined ? undefined : Buffer.from(value);
      },
      upload: () => archive,
      ...(received ? { received } : {}),
    });
    const progress = new Progress(onLog);
    const ref = randomUUID();
    const over = new AbortController();
    let told: Promise<void> | undefined;
    try {
      this.client.openSession(session);
      told = this.follow(ref, progress, over.signal);
      const labels = Object.entries(recipe.labels).map(([name, value]): [string, string] => [`label:${name}`, value]);
      const args = Object.entries(recipe.arguments).map(([name, value]) => [`build-arg:${name}`, value] as const);
      const result = await this.client.solve(
        {
          Ref: ref,
          ...exporting,
          Session: session.id,
          Frontend: 'dockerfile.v0',
          FrontendAttrs: {
            // By this address the daemon asks the session for it.
            context: `http://buildkit-session/${ref}`,
            filename: dockerfileName,
            ...(recipe.target === undefined ? {} : { target: recipe.target }),
            ...(recipe.platform === undefined ? {} : { platform: recipe.platform }),
            ...Object.fromEntries(labels),
            ...Object.fromEntries(args),
          },
        },
        signal,
      );
      await told;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      // Which step it was comes by another call.
      await told;
      throw this.failureOf(error, progress);
    } finally {
      over.abort();
      session.close();
      archive.destroy();
    }
  }

  private async follow(ref: string, progress: Progress, signal: AbortSignal): Promise<void> {
    try {
      for await (const status of this.client.status(ref, signal)) progress.take(status);
    } catch {
      // The build itself says how it ended.
    }
  }

  private failureOf(error: unknown, progress: Progress): LaunchError {
    if (error instanceof LaunchError) return error;
    const message = messageOf(error);
    const { failed } = progress;
    // gRPC's own "unavailable": the daemon, not what it built.
    if ((error as { code?: number }).code === 14)
      return new LaunchError(
        'builder-unavailable',
        'prepare',
        `The BuildKit daemon does not answer: ${message}.`,
        error,
      );
    if (failed === undefined && /push|export/i.test(message) && isUnreachable(message))
      return new LaunchError(
        'registry-unreachable',
        'prepare',
        `The registry of ${this.repository} does not answer: ${message}`,
        error,
      );
    return buildFailure(message, failed, error);
  }
}

const messageOf = (error: unknown): string =>
  (error as { details?: string }).details || (error instanceof Error ? error.message : String(error));
