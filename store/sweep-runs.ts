import type { Store } from './open.js';
import { selectRuns, type RunRow } from './runs.js';

/** The runs of sweeps and of their agents, as rows. */

export interface RunPage {
  limit: number;
  afterId?: number;
  descending?: boolean;
}

/** Oldest first unless asked otherwise; one more than the limit. */
export const runsOfSweep = (db: Store, sweep: { project_id: number; name: string }, page: RunPage): Promise<RunRow[]> =>
  paged(selectRuns(db).where('run.project_id', '=', sweep.project_id).where('run.sweep_name', '=', sweep.name), page);

export const runsOfAgent = (
  db: Store,
  agent: { id: number; sweep_id: number },
  projectId: number,
  page: RunPage,
): Promise<RunRow[]> =>
  paged(
    selectRuns(db)
      .where('run.project_id', '=', projectId)
      .where('run.name', 'in', (eb) =>
        eb
          .selectFrom('sweep_set')
          .select('sweep_set.run_name')
          .where('sweep_set.agent_id', '=', agent.id)
          .where('sweep_set.sweep_id', '=', agent.sweep_id),
      ),
    page,
  );

const paged = (query: ReturnType<typeof selectRuns>, { limit, afterId, descending }: RunPage): Promise<RunRow[]> =>
  query
    .$if(afterId !== undefined, (q) => q.where('run.id', descending ? '<' : '>', afterId ?? 0))
    .orderBy('run.id', descending ? 'desc' : 'asc')
    .limit(limit + 1)
    .execute();
