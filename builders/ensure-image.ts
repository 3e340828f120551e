import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { LaunchError } from '../domain/errors.js';
import { imageName, parseImageReference, pinnedName, type ImageReference } from '../domain/image-reference.js';
import { normaliseRequirements, pointsIntoCode } from '../domain/python-requirements.js';
import { contextArchive, insideSource, textFile, textInside } from './build-context.js';
import type { BuildContext, BuilderName, BuildRequest, BuiltImage, ImageFacts } from './builder.js';
import { contextPaths, dependenciesScript, generateDockerfile } from './dockerfile.js';
import { inputsDigest, sortedEntries, tagOf, type Base } from './inputs.js';
import { masked } from './masked.js';

/** What differs between builders: who is asked, and how. The order of things is the same for all (`ensureImage`). */
export interface Backend {
  readonly name: BuilderName;
  /** `host/path` of what is built; a registry's when images are pushed. */
  readonly repository: string;
  readonly platform: string | undefined;
  /** What the name of a base image stands for now. Throws `LaunchError`; `registry-unreachable` when nobody could say. */
  resolve(image: ImageReference, context: BuildContext, platform: string): Promise<ResolvedBase>;
  /** What it builds for when nobody says: `linux/amd64`. */
  ownPlatform(context: BuildContext): Promise<string>;
  /** What to run, when this image is there and pushed. */
  find(name: string, context: BuildContext): Promise<string | undefined>;
  /** Builds and pushes; what to run. */
  build(recipe: BuildRecipe, context: BuildContext): Promise<{ image: string; requirementsLock?: string }>;
}

export interface ResolvedBase {
  digest: string;
  /** In a registry by this digest; else only here, by its name. */
  inRegistry: boolean;
}

export interface BuildRecipe {
  name: string;
  /** Stage of the Dockerfile. */
  target: string | undefined;
  platform: string | undefined;
  labels: Record<string, string>;
  /** Variable → value. */
  secrets: ReadonlyMap<string, string>;
  /** Of the build. */
  arguments: Readonly<Record<string, string>>;
  /** Each call reads the folder anew. */
  archive(): Promise<Readable>;
  /** The image will hold a list of its exact packages. */
  hasLock: boolean;
}

/** Where the Dockerfile lies in what is sent; no file of a job is called so. */
export const dockerfileName = '.davit.Dockerfile';
const ownDockerfileName = 'Dockerfile.wandb';

/** Finds the image of these inputs, or builds it once. */
export async function ensureImage(backend: Backend, request: BuildRequest, context: BuildContext): Promise<BuiltImage> {
  const { signal, onLog } = context;
  const wished = request.options.platform ?? backend.platform;
  // Said or not, another platform is another image: builders of two kinds may share a repository.
  const platform = wished ?? (await backend.ownPlatform(context));
  const asked: BuildRequest = { ...request, options: { ...request.options, platform: wished } };
  const base = request.options.dockerfile === undefined ? await baseOf(backend, asked, platform, context) : undefined;
  const inputs = inputsDigest({ ...asked, options: { ...asked.options, platform } }, base);
  const name = `${backend.repository}:${tagOf(inputs)}`;
  const facts: ImageFacts = {
    builder: backend.name,
    inputs,
    ...(base === undefined ? {} : { baseImage: base.name }),
    ...(base?.digest === undefined ? {} : { baseDigest: base.digest }),
    platform,
  };
  const answer = (image: string, built: boolean, more: Partial<ImageFacts> = {}): BuiltImage => ({
    image,
    name,
    built,
    facts: { ...facts, ...more },
  });

  const found = await backend.find(name, context);
  if (found !== undefined) {
    onLog(`The image is there already: ${name}\n`);
    return answer(found, false);
  }
  const onWait = (): void => onLog('Another launch is building the same image; waiting for it.\n');
  return context.alone(name, onWait, async () => {
    signal.throwIfAborted();
    const meanwhile = await backend.find(name, context);
    if (meanwhile !== undefined) {
      onLog(`The image was built by another launch: ${name}\n`);
      return answer(meanwhile, false);
    }
    const begunAtMs = Date.now();
    const secrets = await secretsOf(asked, context);
    const quiet: BuildContext = { ...context, onLog: masked(onLog, [...secrets.values()]) };
    onLog(`Building ${name}\n`);
    const recipe = await recipeOf(asked, base, { name, inputs, secrets }, context);
    const { image, requirementsLock } = await backend.build(recipe, quiet);
    onLog(`Built in ${((Date.now() - begunAtMs) / 1000).toFixed(1)} s: ${image}\n`);
    return answer(image, true, requirementsLock === undefined ? {} : { requirementsLock });
  });
}

const defaultPython = '3.12';

/** What the image is made on, with its digest: the tag of a base moves, and then another image is to be made. */
async function baseOf(
  backend: Backend,
  { pythonVersion, options }: BuildRequest,
  platform: string,
  context: BuildContext,
): Promise<Base> {
  const name = options.acceleratorBaseImage ?? options.baseImage ?? `python:${pythonVersion ?? defaultPython}`;
  const image = parseImageReference(name);
  if (!image) throw new LaunchError('base-image-unknown', 'prepare', `"${name}" is not the name of an image.`);
  if (image.digest !== undefined) return { name, digest: image.digest, from: imageName(image) };
  try {
    const { digest, inRegistry } = await backend.resolve(image, context, platform);
    return { name, digest, from: inRegistry ? pinnedName(image, digest) : imageName(image) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof LaunchError) || error.code !== 'registry-unreachable') throw error;
    // What was built on it before may be there all the same.
    context.onLog(`${error.message} The base image counts by its name alone.\n`);
    return { name, digest: undefined, from: imageName(image) };
  }
}

async function secretsOf({ options }: BuildRequest, context: BuildContext): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const [variable, name] of Object.entries(options.secrets ?? {}))
    values.set(variable, await context.secret(name));
  return values;
}

async function recipeOf(
  request: BuildRequest,
  base: Base | undefined,
  { name, inputs, secrets }: { name: string; inputs: string; secrets: Map<string, string> },
  context: BuildContext,
): Promise<BuildRecipe> {
  const source = await context.source();
  const { options } = request;
  const labels = {
    'davit.inputs': inputs,
    'davit.source': request.sourceDigest,
    ...(base === undefined ? {} : { 'org.opencontainers.image.base.name': base.name }),
    ...(base?.digest === undefined ? {} : { 'org.opencontainers.image.base.digest': base.digest }),
  };
  const common = { name, labels, platform: options.platform, secrets, arguments: cacheArguments(request) };
  const own = await ownDockerfile(request, source);
  if (own) {
    const parts = { files: { [dockerfileName]: own.text }, folder: own.folder, prefix: '', obeysDockerIgnore: true };
    return { ...common, target: undefined, hasLock: false, archive: () => contextArchive(parts) };
  }
  const wanted = request.requirements ?? (await textFile(join(source, 'requirements.txt')));
  const lines = normaliseRequirements(wanted ?? '');
  const hasProject = wanted === undefined && (await textFile(join(source, 'pyproject.toml'))) !== undefined;
  const requirements = lines.length > 0 ? 'listed' : hasProject ? 'pyproject' : 'none';
  const dockerfile = generateDockerfile({
    baseImage: base?.from ?? '',
    platform: options.platform,
    addPython: options.acceleratorBaseImage !== undefined,
    userId: options.userId,
    requirements,
    needsCode: requirements === 'listed' && pointsIntoCode(lines),
    secrets: [...secrets.keys()],
  });
  const files = {
    [dockerfileName]: dockerfile,
    ...(requirements === 'listed' ? { [contextPaths.requirements]: `${lines.join('\n')}\n` } : {}),
    ...(requirements === 'pyproject' ? { [contextPaths.dependencies]: dependenciesScript } : {}),
  };
  const parts = { files, folder: source, prefix: contextPaths.code, obeysDockerIgnore: false };
  return { ...common, target: 'job', hasLock: requirements !== 'none', archive: () => contextArchive(parts) };
}

/**
 * A cache that a build mounts is one for all builds of a daemon: what one leaves there (a wheel that its setup.py made, a package of a private
 * index) is what another one installs. This puts it, an own Dockerfile's too, into a place that the owner's builds with the same secrets share.
 */
function cacheArguments({ owner, options }: BuildRequest): Record<string, string> {
  const place = createHash('sha256').update(JSON.stringify([owner, sortedEntries(options.secrets)]));
  return { BUILDKIT_CACHE_MOUNT_NS: `davit-${place.digest('hex').slice(0, 32)}` };
}

/** The job's Dockerfile, or one that lies beside what the entry point starts. */
async function ownDockerfile(
  { options, entryFolder }: BuildRequest,
  source: string,
): Promise<{ text: string; folder: string } | undefined> {
  if (options.dockerfile !== undefined) {
    const text = await textInside(source, options.dockerfile, 'Dockerfile');
    return { text, folder: await insideSource(source, options.context ?? '', 'build context') };
  }
  const path = posix.join(entryFolder, ownDockerfileName);
  if ((await textFile(join(source, path))) === undefined) return undefined;
  const text = await textInside(source, path, 'Dockerfile');
  return { text, folder: await insideSource(source, options.context ?? entryFolder, 'build context') };
}
