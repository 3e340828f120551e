import express, { type Express } from 'express';
import { blobRouter } from './blobs.js';
import type { ApiDeps } from './deps.js';
import { errorHandler, notFoundHandler } from './errors.js';
import { requestId } from './request-id.js';
import { requestLog } from './request-log.js';
import { healthRouter } from './rest/health.js';
import { restRoutes } from './rest/index.js';
import { mountRoutes } from './rest/mount.js';
import { hostCheck, securityHeaders } from './security.js';
import { wandbRouter } from './wandb/router.js';

/** Everything that the API answers, on one port. `listenHost`: where it will listen; loopback brings the check of the Host header. */
export function createApp(deps: ApiDeps, options: { listenHost: string }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  // `a[b]=c` is no object: every query parameter is a text.
  app.set('query parser', 'simple');
  app.use(requestId, requestLog(deps.log), securityHeaders, hostCheck(deps.publicUrl, options.listenHost));
  app.use(healthRouter(deps));
  app.use(wandbRouter(deps));
  app.use(blobRouter(deps));
  app.use('/api/v1', mountRoutes(restRoutes, deps));
  app.use(notFoundHandler);
  app.use(errorHandler(deps));
  return app;
}
