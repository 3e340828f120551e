import { LaunchError } from '../domain/errors.js';
import { decisiveLine, indexWasUnreachable, withoutCredentials } from '../domain/python-requirements.js';
import type { FailedStep } from './buildkit/progress.js';
import { requirementsStep } from './dockerfile.js';

/** What builders and registries say when something goes wrong, as failures of a launch. Their words differ by version; their substance does not. */

const patterns = {
  noSpace: /no space left on device|disk quota exceeded/i,
  platform: /no match for platform|does not match the specified platform|exec format error|no matching manifest/i,
  refused:
    /unauthorized|authentication required|no basic auth credentials|denied: |access forbidden|403 forbidden|401 unauthorized|failed to fetch (anonymous|oauth) token/i,
  unknown: /manifest unknown|not found|pull access denied|repository does not exist|name unknown/i,
  unreachable:
    /connection refused|connection reset|no such host|i\/o timeout|TLS handshake|network is unreachable|EOF$|server misbehaving|context deadline exceeded|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|fetch failed|socket hang up|bad gateway|service unavailable|50[0-4] /i,
} as const;

export const isUnreachable = (message: string): boolean =>
  patterns.unreachable.test(message) && !patterns.refused.test(message) && !patterns.noSpace.test(message);

/** A build that did not come to its end. */
export function buildFailure(message: string, step?: FailedStep, cause?: unknown): LaunchError {
  const reason = tidy(step?.error || message);
  const fail = (code: ConstructorParameters<typeof LaunchError>[0], text: string): LaunchError =>
    new LaunchError(code, 'prepare', text, cause);
  if (patterns.noSpace.test(`${reason}\n${step?.output ?? ''}`))
    return fail('build-no-space', `There is no space left where images are built: ${reason}`);
  const isAboutImage = [patterns.platform, patterns.refused, patterns.unknown, patterns.unreachable].some((one) =>
    one.test(reason),
  );
  if (step === undefined && !isAboutImage) return fail('build-failed', `The image could not be built: ${reason}`);
  if (step === undefined || isLookUp(step.name))
    return imageFailure('base', nameIn(step?.name ?? reason), reason, cause);
  if (step.name.includes(requirementsStep)) return requirementsFailure(step, cause);
  if (patterns.platform.test(reason) || patterns.platform.test(step.output))
    return fail('image-architecture', `${quoted(step.name)} cannot run on this architecture: ${reason}`);
  const code = /exit code: (\d+)/.exec(reason)?.[1];
  const ended = code === undefined ? `failed: ${reason}` : `ended with exit code ${code}.`;
  return fail('build-failed', `${quoted(step.name)} ${ended}${lastLines(step.output)}`);
}

/** An image that a registry would not give or take. `what` is how the image is called in the sentence. */
export function imageFailure(what: 'base' | 'image', image: string, reason: string, cause?: unknown): LaunchError {
  const name = what === 'base' ? `The base image ${image}` : `The image ${image}`;
  const fail = (code: ConstructorParameters<typeof LaunchError>[0], text: string): LaunchError =>
    new LaunchError(code, 'prepare', text, cause);
  if (patterns.noSpace.test(reason)) return fail('build-no-space', `There is no space left for ${image}: ${reason}`);
  if (patterns.platform.test(reason))
    return fail('image-architecture', `${name} does not exist for this platform: ${reason}`);
  // Docker Hub says "does not exist or may require authorization" of both.
  if (patterns.refused.test(reason) && !/repository does not exist/i.test(reason))
    return fail('registry-refused', `${name} was refused by its registry: ${reason}`);
  if (patterns.unknown.test(reason)) return fail('base-image-unknown', `${name} was not found: ${reason}`);
  if (patterns.unreachable.test(reason))
    return fail('registry-unreachable', `The registry of ${image} does not answer: ${reason}`);
  return fail('build-failed', `${name} could not be used: ${reason}`);
}

function requirementsFailure(step: FailedStep, cause: unknown): LaunchError {
  const line = decisiveLine(step.output || step.error);
  return indexWasUnreachable(step.output)
    ? new LaunchError('package-index-unreachable', 'prepare', `The package index could not be reached: ${line}.`, cause)
    : new LaunchError('requirements-failed', 'prepare', `The requirements could not be installed: ${line}.`, cause);
}

/** Steps that fetch an image. */
const isLookUp = (name: string): boolean => /^\[internal\] load metadata for |^(\[[^\]]*\] )?FROM /i.test(name);

const nameIn = (text: string): string =>
  /load metadata for (\S+)/.exec(text)?.[1] ??
  /FROM (\S+)/i.exec(text)?.[1] ??
  /^(\S+?): /.exec(text)?.[1] ??
  'of the build';

/** `[3/6] RUN a very long …`: what a person recognises. */
function quoted(name: string): string {
  const short = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return `The step "${withoutCredentials(short)}"`;
}

function lastLines(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/.*\r(?=.)/, '').trimEnd())
    .filter((line) => line !== '')
    .slice(-5);
  return lines.length === 0 ? '' : ` Its last lines:\n${withoutCredentials(lines.join('\n')).slice(-1000)}`;
}

const tidy = (message: string): string =>
  withoutCredentials(message)
    .replace(/^(failed to solve( with frontend dockerfile\.v0)?: )+/, '')
    .replace(/^(failed to create LLB definition: |rpc error: code = \w+ desc = )+/g, '')
    .trim()
    .slice(0, 600);
