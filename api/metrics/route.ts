import { Router } from 'express';
import { DavitError } from '../../domain/errors.js';
import { isBearer } from '../../telemetry/metrics-listener.js';
import { expositionType } from '../../telemetry/registry.js';
import { authenticate } from '../auth/authenticate.js';
import type { ApiDeps } from '../deps.js';
import type { ApiMetrics } from './index.js';

/**
 * GET /metrics: for the metrics token, which opens nothing else, or the key of a site admin. The page names every entity, queue and agent, so
 * a key that may see one entity only does not open it.
 */
export function metricsRouter(deps: ApiDeps, metrics: ApiMetrics): Router {
  const router = Router();
  router.get('/metrics', async (req, res) => {
    const header = req.get('authorization');
    if (deps.metricsToken === undefined || !isBearer(header, deps.metricsToken)) {
      const actor = await authenticate(deps.db, header);
      if (!actor) {
        res.setHeader('WWW-Authenticate', 'Bearer');
        throw new DavitError(
          'unauthenticated',
          'Metrics need the metrics token of this server, or the key of a site admin.',
        );
      }
      if (!actor.isAdmin)
        throw new DavitError('forbidden', 'Metrics show every entity: they need the key of a site admin.');
    }
    const page = await metrics.page();
    res.setHeader('Content-Type', expositionType);
    res.setHeader('Cache-Control', 'no-store');
    res.end(page);
  });
  return router;
}
