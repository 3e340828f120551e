import { LaunchError } from '../../domain/errors.js';
import type { ImageReference } from '../../domain/image-reference.js';
import { imageName } from '../../domain/image-reference.js';
import { within } from '../../domain/within.js';
import { isUnreachable } from '../failures.js';
import type { Login, LoginContext, LoginSource } from './login.js';

/** The little of a registry's protocol that is needed to see what it has. Pulling and pushing is the Engine's business. */
export class Registries {
  constructor(
    private readonly logins: LoginSource,
    /** Hosts that speak plain HTTP, besides this machine's own. */
    private readonly plainHosts: readonly string[] = [],
  ) {}

  /** The digest of an image's manifest; undefined when the registry has no such image. Throws `LaunchError`. */
  async digestOf(image: ImageReference, context: LoginContext): Promise<string | undefined> {
    const reference = image.digest ?? image.tag ?? 'latest';
    const url = `${this.base(image.host)}/v2/${image.path}/manifests/${reference}`;
    const answer = await this.ask(image, url, 'HEAD', context);
    if (answer.status === 404) return undefined;
    const name = imageName(image);
    if (answer.status === 401 || answer.status === 403)
      throw new LaunchError(
        'registry-refused',
        'prepare',
        `The registry ${image.host} refused to show ${name} (${answer.status}).`,
      );
    const digest = answer.headers.get('docker-content-digest');
    if (answer.ok && digest !== null && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
    throw new LaunchError(
      'registry-unreachable',
      'prepare',
      `The registry ${image.host} answered ${answer.status} when it was asked for ${name}.`,
    );
  }

  isPlain(host: string): boolean {
    return this.plainHosts.includes(host) || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
  }

  private base(host: string): string {
    if (host === 'docker.io') return 'https://registry-1.docker.io';
    return `${this.isPlain(host) ? 'http' : 'https'}://${host}`;
  }

  private async ask(image: ImageReference, url: string, method: string, context: LoginContext): Promise<Response> {
    const { signal } = context;
    const headers = { Accept: manifestTypes };
    let answer = await fetched(image, url, { method, headers }, signal);
    if (answer.status !== 401) return answer;
    const login = await this.logins.login(image.host, context);
    const authorization = await this.authorization(image, answer.headers.get('www-authenticate') ?? '', login, signal);
    if (authorization !== undefined)
      answer = await fetched(image, url, { method, headers: { ...headers, Authorization: authorization } }, signal);
    return answer;
  }

  private async authorization(
    image: ImageReference,
    challenge: string,
    login: Login | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
    if (/^basic/i.test(challenge)) return basic;
    const field = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
    const realm = field('realm');
    if (!/^bearer/i.test(challenge) || realm === undefined) return undefined;
    const url = new URL(realm);
    // A password goes to no one who could be listened to.
    const isSafe = url.protocol === 'https:' || this.isPlain(url.host);
    url.searchParams.set('service', field('service') ?? image.host);
    url.searchParams.set('scope', field('scope') ?? `repository:${image.path}:pull`);
    const headers: Record<string, string> = basic !== undefined && isSafe ? { Authorization: basic } : {};
    const answer = await fetched(image, url.href, { headers }, signal);
    if (!answer.ok) return undefined;
    const body = (await answer.json()) as { token?: unknown; access_token?: unknown };
    const token = body.token ?? body.access_token;
    return typeof token === 'string' ? `Bearer ${token}` : undefined;
  }
}

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const patienceMs = 15_000;

async function fetched(image: ImageReference, url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    return await within(signal, patienceMs, (soon) => fetch(url, { ...init, signal: soon, redirect: 'follow' }));
  } catch (error) {
    signal.throwIfAborted();
    throw new LaunchError(
      'registry-unreachable',
      'prepare',
      `The registry ${image.host} does not answer: ${reasonOf(error)}.`,
      error,
    );
  }
}

/** `fetch failed` says nothing; what it wraps does. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

const waitsMs = [500, 1_000, 2_000, 4_000, 8_000];

/** Tries again while the registry does not answer: one that is restarted costs some seconds and no build. */
export async function whileUnreachable<T>(
  signal: AbortSignal,
  onWait: (reason: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const isAway =
        error instanceof LaunchError
          ? error.code === 'registry-unreachable'
          : isUnreachable(error instanceof Error ? error.message : String(error));
      if (!isAway) throw error;
      onWait(error instanceof Error ? error.message : String(error));
      await within(signal, waitMs, ended);
      signal.throwIfAborted();
    }
  }
  return work();
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
