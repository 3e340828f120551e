import type Docker from 'dockerode';
import type { LogPiece } from '../target.js';
import { type Engine, EngineAway, isMissing, statusOf } from './engine.js';
import { LogFrames, sinceOf, type LogMessage } from './log-frames.js';
import { rememberedEnd } from './marks.js';
import { hasEnded, inspect, wasStarted } from './status.js';
import type { Watcher } from './watcher.js';

/**
 * The Engine knows times, its readers know bytes. A place in the log that this process has seen is remembered as the time of a message and
 * the number of bytes before the first one of that time; a reader that begins behind it is sent the log from that time on, and what it has is
 * dropped. Several messages may bear the same time (the pieces of a long line do), which is why the first one counts.
 */
interface Place {
  at: string;
  bytesBefore: number;
}

const maxPlaces = 2_000;
/** A stream that says nothing and does not end although its container has, is given up after this. */
const lookEveryMs = 10_000;
const pieceBytes = 64 * 1024;
const gatherMs = 30;

export class LogPlaces {
  private readonly places = new Map<string, Place>();

  get(key: string, fromByte: number): Place | undefined {
    const place = this.places.get(key);
    return place && place.bytesBefore <= fromByte ? place : undefined;
  }
  set(key: string, place: Place): void {
    this.places.delete(key);
    this.places.set(key, place);
    for (const oldest of this.places.keys()) {
      if (this.places.size <= maxPlaces) break;
      this.places.delete(oldest);
    }
  }
}

export interface LogReader {
  engine: Engine;
  watcher: Watcher;
  places: LogPlaces;
}

/** Until the container has ended and all of its log was read after that. */
export async function* readLog(
  { engine, watcher, places }: LogReader,
  name: string,
  stream: 'stdout' | 'stderr',
  fromByte: number,
  signal: AbortSignal,
  /** The container was seen already: when it is gone, it does not come any more. */
  wasSeen = false,
): AsyncGenerator<LogPiece> {
  const watched = watcher.watch(name);
  let position = fromByte;
  let isKnown = wasSeen;
  try {
    while (!signal.aborted) {
      try {
        const container = await inspect(engine, name);
        isKnown ||= container !== undefined && wasStarted(container);
        if (container && wasStarted(container)) {
          // Asked before the read: after its end nothing is added.
          const isLast = hasEnded(container);
          const key = `${container.Id} ${stream}`;
          const place = places.get(key, position);
          const messages = openLog(engine, container.Id, stream, place?.at, signal);
          for await (const piece of behind(messages, position, place, (seen) => places.set(key, seen))) {
            position = piece.fromByte + piece.data.length;
            yield piece;
          }
          if (isLast) return;
        } else if (!container && (isKnown || (await rememberedEnd(engine, name)))) return;
      } catch (error) {
        if (signal.aborted) return;
        const isBroken = error instanceof EngineAway || statusOf(error) === undefined || isMissing(error);
        if (!isBroken) throw error;
      }
      await watched.next(signal);
    }
  } finally {
    watched.close();
  }
}

async function* openLog(
  engine: Engine,
  id: string,
  stream: 'stdout' | 'stderr',
  since: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogMessage[]> {
  const query = {
    // The Engine ends the stream by itself where there is nothing to follow.
    follow: true,
    stdout: stream === 'stdout',
    stderr: stream === 'stderr',
    timestamps: true,
    ...(since === undefined ? {} : { since: sinceOf(since) }),
  };
  const open = (docker: Docker, abortSignal: AbortSignal) =>
    docker.getContainer(id).logs({ ...query, abortSignal } as never) as unknown as Promise<LogBody>;
  const { body, end } = await engine.stream(open, signal);
  // A machine that is gone says nothing; the connection must find out.
  body.socket?.setKeepAlive?.(true, 15_000);
  let heardMs = Date.now();
  const look = setInterval(() => {
    void inspect(engine, id)
      .then((container) => {
        if (Date.now() - heardMs >= lookEveryMs && (!container || hasEnded(container))) end();
      })
      .catch(() => undefined);
  }, lookEveryMs);
  try {
    const frames = new LogFrames();
    for await (const chunk of gathered(body)) {
      heardMs = Date.now();
      yield frames.push(chunk);
    }
  } finally {
    clearInterval(look);
    end();
  }
}

/** The Engine sends line by line, and a job that prints many would wake us for each: some gather, the first ones excepted. */
async function* gathered(body: LogBody): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  let wake: () => void = () => undefined;
  const over = (): void => {
    isOver = true;
    wake();
  };
  body.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= 2 * pieceBytes) body.pause();
    wake();
  });
  for (const event of ['end', 'close', 'error']) body.on(event, over);
  const heard = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  for (;;) {
    while (bytes === 0 && !isOver) await heard();
    if (bytes === 0) return;
    const chunk = Buffer.concat(chunks);
    chunks = [];
    bytes = 0;
    body.resume();
    yield chunk;
    const untilMs = Date.now() + gatherMs;
    while (bytes < pieceBytes && !isOver && Date.now() < untilMs) await heard(untilMs - Date.now());
  }
}

type LogBody = NodeJS.ReadableStream & {
  destroy(): void;
  socket?: { setKeepAlive?(on: boolean, afterMs: number): unknown };
};

/** The bytes from `position` on, in pieces of some size. */
async function* behind(
  chunks: AsyncIterable<LogMessage[]>,
  position: number,
  place: Place | undefined,
  seen: (place: Place) => void,
): AsyncGenerator<LogPiece> {
  let counted = place?.bytesBefore ?? 0;
  let latest = place?.at ?? '';
  let read = position;
  for await (const messages of chunks) {
    let parts: Buffer[] = [];
    let size = 0;
    let atMs = 0;
    const gathered = (): LogPiece => {
      const piece = {
        fromByte: read,
        data: parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts),
        atMs,
      };
      read += size;
      parts = [];
      size = 0;
      return piece;
    };
    let newest: Place | undefined;
    for (const { at, data } of messages) {
      if (at !== latest) {
        latest = at;
        newest = { at, bytesBefore: counted };
      }
      const skip = Math.min(data.length, Math.max(0, read + size - counted));
      counted += data.length;
      if (skip === data.length) continue;
      if (size === 0) atMs = Date.parse(at);
      parts.push(data.subarray(skip));
      size += data.length - skip;
      if (size >= pieceBytes) yield gathered();
    }
    if (newest) seen(newest);
    if (size > 0) yield gathered();
  }
}
