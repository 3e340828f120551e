import type { Request, Response } from 'express';
import { once } from 'node:events';

/**
 * Server-sent events. Writing waits for a slow reader, so that a reader who stops reading costs one chunk of memory and no more. Proxies and
 * browsers drop silent connections, hence the comments in between.
 */
const heartbeatMs = 15_000;
/** How long a reader waits before it comes back after a break. */
const retryMs = 1_000;

export interface EventStream {
  /** Aborts when the reader has gone or the server stops. */
  readonly signal: AbortSignal;
  send(event: { event: string; id?: string; data: unknown }): Promise<void>;
  end(): void;
}

/** Streams that are open in this process, to be ended when it stops: a stream never ends by itself while its launch runs. */
const open = new Set<() => void>();

/** Ends every stream; its readers come back after `retry`, to another process or to this one's successor, and resume. */
export function endAllStreams(): void {
  for (const end of open) end();
}

export function openEventStream(req: Request, res: Response): EventStream {
  const stop = new AbortController();
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    // nginx would collect the events into buffers.
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
  res.write(`retry: ${retryMs}\n\n`);
  const heartbeat = setInterval(() => {
    // Behind what is not read yet there is no need for signs of life.
    if (!res.writableNeedDrain) res.write(': still here\n\n');
  }, heartbeatMs);
  const finish = () => {
    clearInterval(heartbeat);
    open.delete(end);
    stop.abort();
  };
  const end = () => {
    finish();
    res.end();
  };
  open.add(end);
  req.once('close', finish);
  res.once('close', finish);
  res.once('error', finish);
  return {
    signal: stop.signal,
    async send({ event, id, data }) {
      if (stop.signal.aborted) return;
      const text = `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
      if (res.write(text) || stop.signal.aborted) return;
      await once(res, 'drain', { signal: stop.signal }).catch(() => undefined);
    },
    end,
  };
}

/**
 * Wakes whoever waits: at each call of `wake`, and after `pollMs` in any case, because a notification can be lost with its connection. A wake
 * that comes while nobody waits is kept.
 */
export function waker(signal: AbortSignal): { wake(): void; next(pollMs: number): Promise<void> } {
  let pending = false;
  let resolveNext: (() => void) | undefined;
  const wake = () => {
    pending = true;
    resolveNext?.();
  };
  signal.addEventListener('abort', wake, { once: true });
  return {
    wake,
    async next(pollMs) {
      if (!pending && !signal.aborted) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          resolveNext = resolve;
          timer = setTimeout(resolve, pollMs);
        });
        clearTimeout(timer);
        resolveNext = undefined;
      }
      pending = false;
    },
  };
}
