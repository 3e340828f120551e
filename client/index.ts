import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { errorOfResponse, unreachable } from './errors.js';
import { followEvents, type FollowOptions } from './event-source.js';
import type { components, paths } from './schema.gen.js';

export { DavitApiError, isWorthRetrying } from './errors.js';
export type { FollowOptions } from './event-source.js';
export type { components } from './schema.gen.js';

/** A shape of the API by its name in the OpenAPI document. */
export type Api<Name extends keyof components['schemas']> = components['schemas'][Name];

export interface DavitClientOptions {
  /** Scheme, host, port of the API, without /api/v1. */
  baseUrl: string;
  apiKey: string;
  /** Who calls, for the log of the API. */
  userAgent?: string;
  /** Of one request, until its answer begins; default 60 s. Not of streams. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

export type LogEvent =
  | { event: 'log'; id: string | undefined; data: Api<'LogChunk'> }
  | { event: 'end'; id: string | undefined; data: LogEnd };

/** How the launch ended, as the last word of its log. */
export interface LogEnd {
  state: Api<'Launch'>['state'];
  exitCode: number | null;
  failure: Api<'Failure'> | null;
  endedAt: string | null;
}

export type LaunchStreamEvent =
  | { event: 'event'; id: string | undefined; data: Api<'LaunchEvent'> }
  | { event: 'launch'; id: string | undefined; data: Api<'Launch'> }
  | { event: 'end'; id: string | undefined; data: { state: Api<'Launch'>['state'] } };

/**
 * Every path of the API by its method: `client.GET('/launches/{id}', { params: { path: { id } } })` answers `{ data, response }`. What is not a
 * success is thrown as `DavitApiError`.
 */
export interface DavitClient extends Client<paths> {
  /** The log as it is written, each chunk once, then `end`. Outlives breaks of the connection and restarts of the API. */
  followLog(
    launchId: string,
    options?: FollowOptions & { stream?: Api<'LogChunk'>['stream']; attempt?: number; from?: number },
  ): AsyncGenerator<LogEvent>;
  /** The launch through its states, then `end`. */
  followLaunch(launchId: string, options?: FollowOptions): AsyncGenerator<LaunchStreamEvent>;
}

export function createDavitClient(options: DavitClientOptions): DavitClient {
  const baseUrl = `${options.baseUrl.replace(/\/+$/, '')}/api/v1`;
  const headers: Record<string, string> = {
    Authorization: `Bearer ${options.apiKey}`,
    ...(options.userAgent === undefined ? {} : { 'User-Agent': options.userAgent }),
  };
  const fetchOf = options.fetch ?? fetch;
  const client = createClient<paths>({
    baseUrl,
    headers,
    fetch: (request) => withTimeout(fetchOf, request, options.timeoutMs ?? 60_000),
  });
  client.use(throwProblems(options.baseUrl));

  async function* follow<E>(path: string, followOptions: FollowOptions): AsyncGenerator<E> {
    for await (const { event, id, data } of followEvents(`${baseUrl}${path}`, headers, fetchOf, followOptions))
      yield { event, id, data: JSON.parse(data) as unknown } as E;
  }

  return Object.assign(client, {
    followLog: (
      launchId: string,
      { stream, attempt, from, ...rest }: FollowOptions & { stream?: string; attempt?: number; from?: number } = {},
    ) => {
      const query = new URLSearchParams({
        ...(stream === undefined ? {} : { stream }),
        ...(attempt === undefined ? {} : { attempt: String(attempt) }),
        ...(from === undefined ? {} : { from: String(from) }),
      }).toString();
      return follow<LogEvent>(`/launches/${encodeURIComponent(launchId)}/logs/stream${query && `?${query}`}`, rest);
    },
    followLaunch: (launchId: string, rest: FollowOptions = {}) =>
      follow<LaunchStreamEvent>(`/launches/${encodeURIComponent(launchId)}/events/stream`, rest),
  });
}

const throwProblems = (baseUrl: string): Middleware => ({
  async onResponse({ response }) {
    if (!response.ok) throw await errorOfResponse(response);
  },
  onError({ error, request }) {
    // The caller's own abort is not a fault of the server.
    if (request.signal.aborted && error instanceof Error && error.name === 'AbortError') return error;
    return unreachable(baseUrl, error);
  },
});

/** Until the answer begins: how long its body takes (an archive) is the caller's business. */
async function withTimeout(fetchOf: typeof fetch, request: Request, timeoutMs: number): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  );
  try {
    return await fetchOf(request, { signal: AbortSignal.any([request.signal, late.signal]) });
  } finally {
    clearTimeout(timer);
  }
}
