import { sql } from 'kysely';
import type { Store } from './open.js';

export interface AuditEntry {
  actor: string;
  action: string;
  /** The address of the thing: `queue/ada/gpu`. */
  subject: string;
  /** Never holds a secret. */
  data?: Record<string, unknown>;
}

/** Who changed what: written in the transaction of the change, so that neither is there without the other. */
export async function audit(db: Store, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      data: JSON.stringify(entry.data ?? {}),
    })
    .execute();
}

export interface AuditFilter {
  subject?: string | undefined;
  actor?: string | undefined;
  since?: Date | undefined;
}

/** Newest first. */
export async function listAudit(
  db: Store,
  { subject, actor, since }: AuditFilter,
  page: { beforeId?: number | undefined; limit: number },
) {
  let query = db.selectFrom('audit').selectAll();
  if (subject !== undefined) query = query.where('subject', '=', subject);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (since !== undefined) {
    // The numbers follow the times but for transactions that overlapped; a minute is more than those take.
    query = query
      .where('at', '>=', since)
      .where(
        'id',
        '>=',
        sql<number>`coalesce((select id from audit where at >= ${new Date(since.getTime() - 60_000)} order by at limit 1), 0)`,
      );
  }
  if (page.beforeId !== undefined) query = query.where('id', '<', page.beforeId);
  return query.orderBy('id', 'desc').limit(page.limit).execute();
}
