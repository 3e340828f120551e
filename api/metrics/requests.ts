import type { Request, RequestHandler } from 'express';
import { Histogram, type Registry } from '../../telemetry/registry.js';

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Durations of requests by the pattern of their route: as many label values as there are routes, whatever clients ask for. */
export function requestMetrics(registry: Registry): RequestHandler {
  const seconds = new Histogram({
    name: 'davit_api_request_duration_seconds',
    help: 'Per process. Time from the request to its whole answer, by route and status; streams count when they end.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [registry],
  });
  return (req, res, next) => {
    const startedMs = performance.now();
    res.once('close', () => {
      const method = methods.has(req.method) ? req.method : 'other';
      // 499: the client went away before the answer, as nginx counts it.
      const status = res.writableFinished ? res.statusCode : 499;
      seconds.observe({ method, route: routeOf(req), status }, (performance.now() - startedMs) / 1000);
    });
    next();
  };
}

const prefixes = ['/api/v1', '/graphql', '/files', '/sdk/otel'];

/** The pattern of the route that answered; for what has none, the part of the API it belongs to, or `other`. */
export function routeOf(req: Request): string {
  const path = req.originalUrl.split('?')[0] ?? '';
  const prefix = prefixes.find((one) => path === one || path.startsWith(`${one}/`));
  const pattern = (req.route as { path?: unknown } | undefined)?.path;
  if (typeof pattern !== 'string' || pattern.includes('*')) return prefix ?? 'other';
  return prefix === '/api/v1' && !pattern.startsWith(prefix) ? `${prefix}${pattern}` : pattern;
}
