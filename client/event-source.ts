import { setTimeout as wait } from 'node:timers/promises';
import { DavitApiError, errorOfResponse, isWorthRetrying, unreachable } from './errors.js';

export interface ServerEvent {
  event: string;
  id: string | undefined;
  data: string;
}

/** A piece of a server-sent event stream at a time in, whole events out. */
export class EventParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  private id: string | undefined;
  /** What the server asks readers to wait before they come back. */
  retryMs: number | undefined;

  push(piece: string): ServerEvent[] {
    this.rest += piece;
    const events: ServerEvent[] = [];
    // A lone CR at the end may be the first half of CRLF.
    for (let match = lineEnd.exec(this.rest); match; match = lineEnd.exec(this.rest)) {
      const line = this.rest.slice(0, match.index);
      this.rest = this.rest.slice(match.index + match[0].length);
      const event = this.line(line);
      if (event) events.push(event);
    }
    return events;
  }

  private line(line: string): ServerEvent | undefined {
    if (line === '') {
      const event = { event: this.event || 'message', id: this.id, data: this.data.join('\n') };
      const whole = this.data.length > 0;
      this.event = '';
      this.data = [];
      return whole ? event : undefined;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d{1,7}$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }
}
const lineEnd = /\r\n|\n|\r(?!$)/;

export interface FollowOptions {
  signal?: AbortSignal | undefined;
  /** Id of the last event that the caller has; the stream goes on behind it. */
  lastEventId?: string | undefined;
  /** Called when the connection broke and it is about to be made anew. */
  onBreak?: ((error: unknown, attempt: number, waitMs: number) => void) | undefined;
  /** Give up after so many attempts in a row without an answer; default: never. */
  maxAttempts?: number | undefined;
}

/** No byte for so long, although the server sends a sign of life every 15 s: the connection is dead. */
const silentMs = 45_000;
const firstWaitMs = 250;
const longestWaitMs = 10_000;

/**
 * The events of a stream up to the one named `end`, which is given too. A broken connection is made anew with Last-Event-ID, waiting longer
 * each time in vain; an answer that says the request itself is wrong ends it with a `DavitApiError`.
 */
export async function* followEvents(
  url: string,
  headers: Record<string, string>,
  fetchOf: typeof fetch,
  options: FollowOptions,
): AsyncGenerator<ServerEvent> {
  const { signal } = options;
  let lastId = options.lastEventId;
  let askedMs: number | undefined;
  for (let attempt = 1; !signal?.aborted; attempt++) {
    let failure: unknown;
    try {
      for await (const item of connect(url, headers, fetchOf, lastId, signal)) {
        if ('retryMs' in item) {
          askedMs = item.retryMs;
          continue;
        }
        attempt = 0;
        lastId = item.id ?? lastId;
        yield item;
        if (item.event === 'end') return;
      }
      // Ended by the server before the end: it stops, and another will answer.
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof DavitApiError && !isWorthRetrying(error)) throw error;
      failure = error;
    }
    if (signal?.aborted) return;
    if (options.maxAttempts !== undefined && attempt >= options.maxAttempts && failure instanceof Error) throw failure;
    const asked = failure instanceof DavitApiError ? failure.retryAfterMs : askedMs;
    const waitMs = Math.max(asked ?? 0, Math.min(firstWaitMs * 2 ** Math.min(attempt, 10), longestWaitMs));
    options.onBreak?.(failure, attempt, waitMs);
    await wait(waitMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

async function* connect(
  url: string,
  headers: Record<string, string>,
  fetchOf: typeof fetch,
  lastId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerEvent | { retryMs: number }> {
  const silence = new AbortController();
  const any = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  let timer = setTimeout(() => silence.abort(), silentMs);
  try {
    let response;
    try {
      response = await fetchOf(url, {
        headers: {
          ...headers,
          Accept: 'text/event-stream',
          ...(lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
        },
        signal: any,
      });
    } catch (cause) {
      throw unreachable(new URL(url).origin, cause);
    }
    if (!response.ok || !response.body) throw await errorOfResponse(response);
    const parser = new EventParser();
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silentMs);
      for (const event of parser.push(decoder.decode(bytes, { stream: true }))) yield event;
      if (parser.retryMs !== undefined) yield { retryMs: parser.retryMs };
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}
