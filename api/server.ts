import type { Express } from 'express';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DavitError } from '../domain/errors.js';
import { createApp } from './app.js';
import type { ApiDeps } from './deps.js';
import { endAllStreams } from './rest/sse.js';

export interface ApiConfig {
  /** Default: loopback. */
  host?: string;
  /** 0 = any free one. */
  port: number;
  /** Default: `http://<host>:<port>`. */
  publicUrl?: string;
  /** How long `stop` waits for requests that are under way. */
  stopMs?: number;
}

export interface RunningApi {
  host: string;
  port: number;
  publicUrl: string;
  /** Takes no new requests, ends streams, and resolves when all requests are answered. */
  stop(): Promise<void>;
}

/**
 * Listens and serves. With port 0 the address is known only when it listens, so what depends on it is made by a function then; requests that
 * come in between wait. Throws `port-in-use`.
 */
export async function startApi(
  config: ApiConfig,
  deps: ApiDeps | ((publicUrl: string) => Promise<ApiDeps>),
): Promise<RunningApi> {
  const host = config.host ?? '127.0.0.1';
  let ready: (app: Express) => void = () => undefined;
  const appMade = new Promise<Express>((resolve) => (ready = resolve));
  const server = createServer((req, res) => void appMade.then((app) => void app(req, res)));
  // A client that trickles its headers or body must not hold a connection for ever; a large upload on a slow line takes its time.
  server.requestTimeout = 3600_000;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 30_000;
  await listen(server, config.port, host);
  const { port } = server.address() as AddressInfo;
  const publicUrl = (config.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`).replace(
    /\/+$/,
    '',
  );
  let built: ApiDeps;
  try {
    built = typeof deps === 'function' ? await deps(publicUrl) : deps;
    const { events, dispatch, git } = built;
    // The port is ours, so whoever worked here before has ended; if he was killed, keys are left.
    await rm(git.tmpFolder, { recursive: true, force: true });
    events.onRoom((queueId) => dispatch.nudgeQueue(queueId));
    ready(createApp(built, { listenHost: host }));
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  const { log } = built;
  log.info({ host, port, publicUrl: built.publicUrl }, 'the API listens');

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    endAllStreams();
    const late = setTimeout(() => {
      log.warn('requests are still under way; their connections are cut');
      server.closeAllConnections();
    }, config.stopMs ?? 10_000);
    // Connections that were busy when it began become idle one by one.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    await closed;
    clearTimeout(late);
    clearInterval(sweep);
  };
  return { host, port, publicUrl: built.publicUrl, stop: () => (stopping ??= stop()) };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new DavitError('port-in-use', `Port ${port} on ${host} is taken.`, { cause: error })
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
