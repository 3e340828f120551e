import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { requestIdOf } from './request-id.js';

/**
 * One line per request. Only what is harmless: no headers, no bodies, no query strings (signed addresses carry their permission there).
 * What is called many times a second by design is logged at trace.
 */
export function requestLog(log: Logger): RequestHandler {
  return (req, res, next) => {
    const startedMs = performance.now();
    const path = req.path;
    res.once('close', () => {
      const line = {
        requestId: requestIdOf(req),
        method: req.method,
        path,
        status: res.statusCode,
        ms: Math.round(performance.now() - startedMs),
        ...(res.writableFinished ? {} : { cut: true }),
      };
      if (res.statusCode >= 500) log.warn(line, 'request');
      else if (isRoutine(path)) log.trace(line, 'request');
      else log.debug(line, 'request');
    });
    next();
  };
}

const isRoutine = (path: string): boolean =>
  path.startsWith('/sdk/otel') ||
  path === '/healthz' ||
  path === '/readyz' ||
  path.startsWith('/files/') ||
  path.startsWith('/api/v1/agents/');
