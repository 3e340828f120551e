import { sql } from 'kysely';
import type { Store } from './open.js';

/** What clients asked for and this Davit does not know. Names only; of a thing only how often and when. */
export interface Unanswered {
  kind: 'field' | 'argument' | 'input field' | 'type';
  name: string;
  /** The operation that it stood in; '' when that had no name. */
  operation: string;
}

/** Somebody may ask for a million things that nobody knows: more than so many are not told apart. */
export const mostUnanswered = 1_000;

export async function countUnanswered(db: Store, asked: readonly Unanswered[], client: string): Promise<void> {
  // In one order, so that two requests never wait for each other.
  const sorted = [...asked].sort((a, b) => (a.kind + a.name < b.kind + b.name ? -1 : 1)).slice(0, 50);
  await sql`
    insert into unanswered as u (kind, name, operation, client)
    select kind, name, left(operation, 100), ${client}
    from jsonb_to_recordset(${JSON.stringify(sorted)}::jsonb) as asked (kind text, name text, operation text)
    where (select count(*) from unanswered) < ${mostUnanswered}
      or exists (select 1 from unanswered k where k.kind = asked.kind and k.name = asked.name and k.operation = left(asked.operation, 100))
    on conflict (kind, name, operation) do update set count = u.count + 1, last_at = now(), client = excluded.client
  `.execute(db);
}

/** The latest first. */
export const listUnanswered = (db: Store, limit: number) =>
  db
    .selectFrom('unanswered')
    .selectAll()
    .orderBy('last_at', 'desc')
    .orderBy('kind')
    .orderBy('name')
    .orderBy('operation')
    .limit(limit)
    .execute();
