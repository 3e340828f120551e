import pg from 'pg';
import type { Logger } from 'pino';

/** What is heard of a launch: something about it was written. Says nothing about what: readers re-read what they show. */
export type LaunchListener = () => void;

export interface ApiEvents {
  /** Calls the listener after each change of the launch, and after every break of the connection (changes may have been missed). */
  onLaunch(launchId: string, listener: LaunchListener): () => void;
  /** Calls the listener when a queue that had reached a limit has room again. Notes may be missed: a sweep makes up for them. */
  onRoom(listener: (queueId: number) => void): void;
  close(): Promise<void>;
}

/** One LISTEN connection for the whole process, fanned out to whoever follows a launch. */
export function createEvents(options: { databaseUrl: string; applicationName?: string; log: Logger }): ApiEvents {
  const listeners = new Map<string, Set<LaunchListener>>();
  const roomListeners = new Set<(queueId: number) => void>();
  const log = options.log.child({ part: 'events' });
  let client: pg.Client | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;

  const tell = (launchId: string) => {
    for (const listener of listeners.get(launchId) ?? []) listener();
  };
  const tellAll = () => {
    for (const launchId of listeners.keys()) tell(launchId);
  };

  const again = () => {
    if (closed || retry) return;
    const delayMs = Math.min(250 * 2 ** failures++, 5_000);
    retry = setTimeout(() => {
      retry = undefined;
      void connect();
    }, delayMs);
    // The process may end while it waits to reconnect.
    retry.unref();
  };

  const connect = async () => {
    if (closed) return;
    const next = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: options.applicationName ?? 'davit-api-events',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    let dropped = false;
    const drop = (error?: Error) => {
      if (dropped) return;
      dropped = true;
      if (client === next) client = undefined;
      if (!closed)
        log.warn({ err: error }, 'lost the connection that listens for changes; live readers poll meanwhile');
      next.end().catch(() => undefined);
      again();
    };
    next.on('error', drop);
    next.on('end', () => drop());
    next.on('notification', ({ payload }) => {
      const match = /^launch ([a-z0-9]+)$/.exec(payload ?? '');
      if (match?.[1]) tell(match[1]);
      const room = /^room (\d+)$/.exec(payload ?? '');
      if (room?.[1]) for (const listener of roomListeners) listener(Number(room[1]));
    });
    try {
      await next.connect();
      await next.query('listen davit');
    } catch (error) {
      drop(error instanceof Error ? error : undefined);
      return;
    }
    if (closed) {
      await next.end().catch(() => undefined);
      return;
    }
    client = next;
    failures = 0;
    // Whatever was said while nobody listened is read now.
    tellAll();
  };
  void connect();

  return {
    onLaunch(launchId, listener) {
      const set = listeners.get(launchId) ?? new Set();
      listeners.set(launchId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(launchId) === set) listeners.delete(launchId);
      };
    },
    onRoom(listener) {
      roomListeners.add(listener);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}
