import express, { type Express } from 'express';
import { blobRouter } from './blobs.js';
import type { ApiDeps } from './deps.js';
import { errorHandler, notFoundHandler } from './errors.js';
import { createApiMetrics } from './metrics/index.js';
import { metricsRouter } from './metrics/route.js';
import { requestId } from './request-id.js';
import { requestLog } from './request-log.js';
import { healthRouter } from './rest/health.js';
import { restRoutes } from './rest/index.js';
import { mountRoutes } from './rest/mount.js';
import { hostCheck, securityHeaders } from './security.js';
import { requestTraces } from './tracing.js';
import { wandbRouter } from './wandb/router.js';

/** Everything that the API answers, on one port. `listenHost`: where it will listen; loopback brings the check of the Host header. */
export function createApp(given: ApiDeps, options: { listenHost: string }): Express {
  const metrics = given.metrics ?? createApiMetrics(given);
  const deps: ApiDeps = { ...given, metrics };
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  // `a[b]=c` is no object: every query parameter is a text.
  app.set('query parser', 'simple');
  app.use(requestId, requestLog(deps.log), metrics.observeRequest);
  if (deps.tracing) app.use(requestTraces(deps.tracing));
  app.use(securityHeaders, hostCheck(deps.publicUrl, options.listenHost));
  app.use(healthRouter(deps));
  app.use(metricsRouter(deps, metrics));
  app.use(wandbRouter(deps));
  app.use(blobRouter(deps));
  app.use('/api/v1', mountRoutes(restRoutes, deps));
  app.use(notFoundHandler);
  app.use(errorHandler(deps));
  return app;
}
