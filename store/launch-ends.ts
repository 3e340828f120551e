import { sql } from 'kysely';
import type { Store } from './open.js';

/** Readers of the log of ends (migration 0009): each remembers how far it came, and one process at a time reads for it. */

/** Any number that nobody else uses as the first key of a two-key advisory lock. */
const readerLock = 9;

/** Ends older than this are dropped although a reader has not come so far (traces were switched off, or their collector is away). */
const keptHours = 24;

/** Adds the ends since the last time to the counts. Ends of transactions that are still open come with a later call. */
export async function foldEnds(db: Store): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (!(await lockReader(tx, 'counts'))) return;
    await sql`
      with place as (select xid, n from launch_end_reader where name = 'counts'),
      fresh as (
        select e.* from launch_end e, place
        where (e.xid, e.n) > (place.xid, place.n) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      ),
      sums as (select queue_id, state, code, stage, fault, count(*) as n from fresh group by 1, 2, 3, 4, 5),
      counted as (
        insert into launch_end_count as c (queue_id, state, code, stage, fault, n) select * from sums
        on conflict (queue_id, state, code, stage, fault) do update set n = c.n + excluded.n
      ),
      last as (select xid, n from fresh order by xid desc, n desc limit 1)
      update launch_end_reader r set xid = last.xid, n = last.n from last where r.name = 'counts'`.execute(tx);
  });
}

/** Drops what is counted and old. */
export async function trimEnds(db: Store): Promise<void> {
  await foldEnds(db);
  await sql`
    delete from launch_end e using launch_end_reader r
    where r.name = 'counts' and (e.xid, e.n) <= (r.xid, r.n)
      and e.at < clock_timestamp() - make_interval(hours => ${keptHours})`.execute(db);
}

/**
 * Gives the next ends to `take` and remembers them as taken when it resolves; when it rejects or the process dies, they come again. False:
 * there were none, or another process reads for this reader. A reader that is new begins with what ends from now on.
 */
export async function takeEnds(
  db: Store,
  reader: string,
  limit: number,
  take: (launchIds: readonly string[]) => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    if (!(await lockReader(tx, reader))) return false;
    const { rows } = await sql<{ launch_id: string; xid: string; n: number }>`
      select e.launch_id, e.xid::text as xid, e.n from launch_end e, launch_end_reader r
      where r.name = ${reader} and (e.xid, e.n) > (r.xid, r.n) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.n limit ${limit}`.execute(tx);
    const last = rows.at(-1);
    if (!last) return false;
    await take(rows.map((row) => row.launch_id));
    await sql`update launch_end_reader set xid = ${last.xid}::xid8, n = ${last.n}::bigint where name = ${reader}`.execute(
      tx,
    );
    return true;
  });
}

/** Held to the end of the transaction. False: somebody else has it. */
async function lockReader(tx: Store, reader: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(${readerLock}, hashtext(${reader})) as locked`.execute(tx);
  if (rows[0]?.locked !== true) return false;
  // The counts begin with everything there is, since the migration counted what had ended; others begin now.
  await sql`
    insert into launch_end_reader (name, xid, n)
    select ${reader}, case when ${reader} = 'counts' then '0'::xid8 else pg_snapshot_xmin(pg_current_snapshot()) end, 0
    on conflict do nothing`.execute(tx);
  return true;
}
