import { getRunByPath, type RunRecord } from '../../../store/runs.js';
import type { TrackingApi } from '../../support/tracking-api.js';

/** A run of the scenario's project as it is stored. */
export async function runIn(api: TrackingApi, project: string, name: string): Promise<RunRecord> {
  const run = await getRunByPath(api.db, 'ada', project, name);
  if (!run) throw new Error(`there is no run ${project}/${name}`);
  return run;
}
