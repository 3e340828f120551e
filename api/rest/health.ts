import { sql } from 'kysely';
import type { Router } from 'express';
import { Router as makeRouter } from 'express';
import { DavitError } from '../../domain/errors.js';
import type { ApiDeps } from '../deps.js';

/** No key: for supervisors and load balancers. Says nothing that a stranger may not know. */
export function healthRouter(deps: ApiDeps): Router {
  const router = makeRouter();
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  // Ready = an enqueue would be accepted: that needs the database, and nothing else.
  router.get('/readyz', async (_req, res) => {
    try {
      await sql`select 1`.execute(deps.db);
    } catch (cause) {
      throw new DavitError('store-unavailable', undefined, { cause });
    }
    res.json({ status: 'ready' });
  });
  return router;
}
