import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { DavitError } from '../domain/errors.js';
import { expositionType } from './registry.js';

export interface MetricsListenerOptions {
  host: string;
  port: number;
  /** Asked of whoever reads. Without one only loopback is listened on. */
  token: string | undefined;
  read(): Promise<string>;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Is this `Authorization` header the token's? In a time that does not depend on how much of it is right. */
export function isBearer(header: string | undefined, token: string): boolean {
  const given = /^bearer\s+(.+)$/i.exec(header?.trim() ?? '')?.[1];
  if (given === undefined) return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given.trim()), digest(token));
}

/** A port for metrics alone: GET /metrics. Throws `port-in-use`. */
export async function listenForMetrics(
  options: MetricsListenerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { host, port, token, read } = options;
  if (token === undefined && !isLoopback(host)) {
    throw new DavitError(
      'invalid-configuration',
      `Metrics on ${host} need a metricsToken: whoever reaches that address could read them.`,
    );
  }
  const server = createServer((req, res) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      res.writeHead(status, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' });
      res.end(req.method === 'HEAD' ? undefined : body);
    };
    if ((req.url ?? '').split('?')[0] !== '/metrics') return answer(404, 'Metrics are at /metrics.\n');
    if (req.method !== 'GET' && req.method !== 'HEAD') return answer(405, 'GET /metrics\n');
    if (token !== undefined && !isBearer(req.headers.authorization, token)) {
      res.setHeader('WWW-Authenticate', 'Bearer');
      return answer(401, 'Send the metrics token: "Authorization: Bearer TOKEN".\n');
    }
    read().then(
      (text) => answer(200, text, expositionType),
      () => answer(500, 'The metrics could not be read.\n'),
    );
  });
  server.requestTimeout = 30_000;
  await listen(server, port, host);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new DavitError('port-in-use', `Port ${port} on ${host}, for metrics, is taken.`, { cause: error })
          : error,
      ),
    );
    server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
  });
}
