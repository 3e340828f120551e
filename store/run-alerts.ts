import { sql } from 'kysely';
import type { Store } from './open.js';
import { storable } from './text.js';
import { inTransaction } from './transaction.js';

export interface Alert {
  title: string;
  text: string;
  severity: string;
}

/** A run that alerts in a loop keeps its newest ones. */
const keptAlerts = 1_000;
const longestText = 10_000;

/** Undefined when one with its title came less than `waitMs` before, so that the run need not count for itself. */
export async function saveAlert(db: Store, runId: number, alert: Alert, waitMs: number): Promise<Alert | undefined> {
  const saved = {
    title: storable(alert.title.slice(0, 1_000)),
    text: storable(alert.text.slice(0, longestText)),
    severity: alert.severity,
  };
  return inTransaction(db, async (tx) => {
    // Two at once must see each other.
    await tx.selectFrom('run').select('id').where('id', '=', runId).forUpdate().executeTakeFirst();
    const same = await tx
      .selectFrom('run_alert')
      .select('id')
      .where('run_id', '=', runId)
      .where('title', '=', saved.title)
      .where(sql<boolean>`at > now() - ${Math.min(Math.max(waitMs, 0), 1e11)} * interval '1 ms'`)
      .limit(1)
      .executeTakeFirst();
    if (same) return undefined;
    await tx
      .insertInto('run_alert')
      .values({ run_id: runId, ...saved })
      .execute();
    await sql`delete from run_alert where run_id = ${runId} and id <= (
      select id from run_alert where run_id = ${runId} order by id desc offset ${keptAlerts} limit 1)`.execute(tx);
    return saved;
  });
}

/** Newest first. */
export const listAlerts = (db: Store, runId: number, limit: number) =>
  db
    .selectFrom('run_alert')
    .select(['at', 'title', 'text', 'severity'])
    .where('run_id', '=', runId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
