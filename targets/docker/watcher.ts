import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Engine } from './engine.js';
import { label } from './names.js';

/** Events get lost with the connection that brings them, so whoever waits looks now and then. */
const netMs = 5_000;
/** While there is no connection. */
const blindNetMs = 500;
const reconnectMs = 250;

/**
 * One stream of the Engine's events for all jobs that are followed here; open while somebody waits. Says only that something happened to a
 * container: what it is, everybody asks for himself.
 */
export class Watcher {
  private readonly happened = new EventEmitter().setMaxListeners(0);
  private waiting = 0;
  private stop: AbortController | undefined;
  private connected = false;

  constructor(private readonly engine: Engine) {}

  /** Keeps the stream open until it is closed. `next` returns when something happened to the container, now and then, or at an abort. */
  watch(name: string): { next(signal: AbortSignal): Promise<void>; close(): void } {
    let changed = false;
    let wake: (() => void) | undefined;
    const onChange = (): void => {
      changed = true;
      wake?.();
    };
    this.happened.on(name, onChange);
    this.happened.on('connection', onChange);
    this.waiting += 1;
    if (!this.stop) this.open();
    return {
      next: async (signal) => {
        if (!changed && !signal.aborted) {
          await new Promise<void>((resolve) => {
            const done = (): void => {
              clearTimeout(timer);
              signal.removeEventListener('abort', done);
              wake = undefined;
              resolve();
            };
            const timer = setTimeout(done, this.connected ? netMs : blindNetMs);
            signal.addEventListener('abort', done, { once: true });
            wake = done;
          });
        }
        changed = false;
      },
      close: () => {
        this.happened.off(name, onChange);
        this.happened.off('connection', onChange);
        this.waiting -= 1;
        if (this.waiting > 0) return;
        this.stop?.abort();
        this.stop = undefined;
      },
    };
  }

  private open(): void {
    const stop = new AbortController();
    this.stop = stop;
    void (async () => {
      while (!stop.signal.aborted) {
        await this.listen(stop.signal).catch(() => undefined);
        // A later stream may be open already when an earlier one ends.
        if (this.stop === stop || this.stop === undefined) this.connected = false;
        this.happened.emit('connection');
        await wait(reconnectMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    })();
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const filters = { type: ['container'], label: [label.job] };
    const { body, end } = await this.engine.stream(
      (docker, abortSignal) => docker.getEvents({ filters: filters as never, abortSignal }) as Promise<Readable>,
      signal,
    );
    try {
      this.connected = true;
      // What happened before is looked at by everybody now.
      this.happened.emit('connection');
      let rest = '';
      for await (const chunk of body) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') this.tell(line);
      }
    } finally {
      end();
    }
  }

  private tell(line: string): void {
    try {
      const event = JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } };
      const name = event.Actor?.Attributes?.[label.job];
      if (name !== undefined) this.happened.emit(name);
    } catch {
      // Cut off in the middle: the net catches it.
    }
  }
}
