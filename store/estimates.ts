import { sql } from 'kysely';
import type { Store } from './open.js';

/** What estimates are made from, and how good they were. */

const lastLaunches = 200;

export interface Past {
  durationsMs: number[];
  /** Whose: the queue's own launches, or those of the entity's queues of the same target. */
  of: 'queue' | 'entity';
}

/** How long the last launches held their slot. With fewer than `least` in the queue, those of its entity count. */
export async function pastOf(db: Store, queueId: number, least: number): Promise<Past> {
  const own = await sql<{ ms: number }>`
    select (extract(epoch from ended_at - claimed_at) * 1000)::float8 as ms from launch
    where queue_id = ${queueId} and state in ('finished', 'failed', 'stopped') and claimed_at is not null and ended_at is not null
    order by ended_at desc limit ${lastLaunches}`.execute(db);
  if (own.rows.length >= least) return { durationsMs: own.rows.map(msOf), of: 'queue' };
  const all = await sql<{ ms: number }>`
    select (extract(epoch from l.ended_at - l.claimed_at) * 1000)::float8 as ms
    from (select o.id from queue o join queue own on own.id = ${queueId} and o.entity_id = own.entity_id and o.target = own.target
        order by o.claimed_at desc nulls last limit 20) q
      cross join lateral (select ended_at, claimed_at from launch where queue_id = q.id and state in ('finished', 'failed', 'stopped')
        and claimed_at is not null and ended_at is not null order by ended_at desc limit 50) l
    order by l.ended_at desc limit ${lastLaunches}`.execute(db);
  return { durationsMs: all.rows.map(msOf), of: 'entity' };
}

const msOf = ({ ms }: { ms: number }): number => Math.max(0, ms);

/** The first estimate of a launch counts; later ones are made with more known. */
export const rememberEstimate = (
  db: Store,
  estimate: { launchId: string; queueId: number; epoch: number; madeAt: Date; earliest: Date; latest: Date },
) =>
  db
    .insertInto('launch_estimate')
    .values({
      launch_id: estimate.launchId,
      queue_id: estimate.queueId,
      epoch: estimate.epoch,
      made_at: estimate.madeAt,
      earliest: estimate.earliest,
      latest: estimate.latest,
    })
    .onConflict((c) => c.doNothing())
    .execute();

/** Estimates of a queue whose launch has not been taken yet: a sample stops at some number of them. */
export async function openEstimates(db: Store, queueId: number, most: number): Promise<number> {
  const result = await sql<{ n: number }>`select count(*)::int as n from (
    select 1 from launch_estimate where queue_id = ${queueId} and claimed_at is null limit ${most}) few`.execute(db);
  return result.rows[0]?.n ?? 0;
}

/**
 * Writes down when launches with an estimate were really taken, by the line's own record of it: the claim pays nothing. An estimate is forgotten
 * when it can never be measured: the launch ended untaken, or somebody held or moved it since.
 */
export async function settleEstimates(db: Store): Promise<void> {
  await sql`
    with open as (
      select e.launch_id, e.made_at, e.epoch from launch_estimate e left join launch l on l.id = e.launch_id
      where e.claimed_at is null
        and (l.id is null or l.epoch > e.epoch or l.held or l.state <> 'queued' or l.queue_id <> e.queue_id) limit 5000
    ), seen as (
      select o.launch_id, t.taken, exists (select 1 from launch_event v where v.launch_id = o.launch_id and v.writer = 'line'
          and v.type in ('held', 'moved', 'reprioritised', 'transferred') and v.at >= o.made_at and (t.taken is null or v.at < t.taken)) as moved
      from open o cross join lateral (select min(at) as taken from launch_event
        where launch_id = o.launch_id and type = 'claimed' and (data->>'epoch')::int > o.epoch) t
    ), taken as (
      update launch_estimate e set claimed_at = greatest(s.taken, e.made_at) from seen s
      where e.launch_id = s.launch_id and e.claimed_at is null and s.taken is not null and not s.moved
    )
    delete from launch_estimate e using seen s where e.launch_id = s.launch_id and e.claimed_at is null and (s.moved
      or (s.taken is null and not exists (select 1 from launch l where l.id = e.launch_id and l.state = 'queued')))`.execute(
    db,
  );
}

export interface HitRate {
  estimates: number;
  /** Of them, such as held the moment at which the launch was taken. */
  right: number;
}

/** Of the last 200 estimates of the queue. One whose range is over and whose launch still waits was wrong. */
export async function hitRateOf(db: Store, queueId: number): Promise<HitRate> {
  const result = await sql<HitRate>`
    select count(*)::int as estimates, (count(*) filter (where claimed_at between earliest and latest))::int as right from (
      select claimed_at, earliest, latest from launch_estimate
      where queue_id = ${queueId} and (claimed_at is not null or latest < clock_timestamp()) order by made_at desc limit 200) last`.execute(
    db,
  );
  return result.rows[0] ?? { estimates: 0, right: 0 };
}

const keptDays = 30;
export const dropOldEstimates = (db: Store) =>
  sql`delete from launch_estimate where made_at < clock_timestamp() - make_interval(days => ${keptDays})`.execute(db);
