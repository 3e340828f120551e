import { sql } from 'kysely';
import { runsToStop } from '../domain/sweeps/hyperband.js';
import type { Store } from './open.js';
import { stopEarly } from './sweep-heartbeat.js';
import { resultsOf } from './sweep-metrics.js';
import { configOf, lockSweep } from './sweeps.js';

/** Judging again sooner than this would read what runs have logged over and over, once for each agent. */
const judgeEveryMs = 2_000;

/** Stops the runs that early termination gives up, by what they have logged so far. Their processes learn it as if somebody had stopped them. */
export async function judgeRuns(db: Store, agentId: number, everyMs = judgeEveryMs): Promise<string[]> {
  const sweep = await db
    .selectFrom('sweep')
    .innerJoin('sweep_agent', 'sweep_agent.sweep_id', 'sweep.id')
    .selectAll('sweep')
    .where('sweep_agent.id', '=', agentId)
    .executeTakeFirst();
  if (!sweep) return [];
  const config = configOf(sweep);
  if (!config?.earlyTerminate || !config.metric || config.chooser !== 'server') return [];
  const due = await db
    .updateTable('sweep')
    .set({ judged_at: sql`now()` })
    .where('id', '=', sweep.id)
    .where(sql<boolean>`(judged_at is null or judged_at <= now() - ${everyMs} * interval '1 ms')`)
    .executeTakeFirst();
  if (due.numUpdatedRows === 0n) return [];
  const results = await resultsOf(db, sweep, config.metric, config.earlyTerminate);
  const names = runsToStop(config.earlyTerminate, config.metric, results);
  if (names.length > 0)
    await db.transaction().execute(async (tx) => {
      const locked = await lockSweep(tx, sweep.id);
      if (locked) await stopEarly(tx, locked, names);
    });
  return names;
}
