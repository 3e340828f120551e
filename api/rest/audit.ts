import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { listAudit } from '../../store/audit.js';
import { bulkById } from '../../store/bulk.js';
import { launchById } from '../../store/launches.js';
import type { Store } from '../../store/open.js';
import type { Actor } from '../auth/authenticate.js';
import { requireEntity, requireRole } from '../auth/authorize.js';
import { defineRoute } from './route.js';
import { defaultLimit, page, pageOf, pageQuery, readCursor, timeOf, timeSchema, timeText } from './schemas.js';

const auditSchema = z
  .object({
    id: z.int(),
    at: timeSchema,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    data: z.record(z.string(), z.unknown()),
    bulk: z.string().nullable().describe('The bulk that it was a part of.'),
  })
  .meta({ id: 'AuditEvent' });

/** A site admin sees everything; an admin of an entity what happened to one thing of it. */
async function requireMayAudit(db: Store, actor: Actor, subject: string | undefined): Promise<void> {
  if (actor.isAdmin) return;
  if (subject === undefined)
    throw new DavitError('forbidden', 'Only a site admin sees everything; name a subject: queue/<entity>/<queue>.');
  const [kind, first = ''] = subject.split('/');
  const none = new DavitError('not-found', `There is no "${subject}" that this key may see.`);
  if (kind === 'launch' || kind === 'bulk') {
    const row = kind === 'launch' ? await launchById(db, first) : await bulkById(db, first);
    if (!row) throw none;
    await requireRole(db, actor, row.entity_id, 'admin').catch((error: unknown) => {
      throw error instanceof DavitError && error.code === 'not-found' ? none : error;
    });
  } else if (['queue', 'entity', 'agent', 'project', 'job', 'sweep', 'secret'].includes(kind ?? '')) {
    await requireEntity(db, actor, first, 'admin');
  } else throw none;
}

const list = defineRoute({
  method: 'get',
  path: '/audit',
  operationId: 'listAudit',
  summary: 'Who changed what, newest first',
  tag: 'audit',
  auth: 'user',
  query: z.strictObject({
    ...pageQuery,
    subject: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('queue/<entity>/<queue>, launch/<id>, bulk/<id>, entity/<entity> …'),
    actor: z.string().min(1).max(256).optional(),
    since: timeText.optional(),
  }),
  response: pageOf(auditSchema, 'AuditPage'),
  handler: async ({ actor, query, deps: { db } }) => {
    await requireMayAudit(db, actor, query.subject);
    const limit = query.limit ?? defaultLimit;
    const beforeId = readCursor(z.int(), query.cursor);
    const rows = await listAudit(db, query, { beforeId, limit: limit + 1 });
    return page(
      rows,
      limit,
      (row) => ({ ...row, at: timeOf(row.at) }),
      (row) => row.id,
    );
  },
});

export const auditRoutes = [list];
