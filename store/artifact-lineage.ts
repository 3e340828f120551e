import { selectVersions, type VersionRow } from './artifact-versions.js';
import type { Store } from './open.js';
import { runsByIds, type RunRow } from './runs.js';

/** Which run made a version, and which runs used it. */

interface Page {
  afterId?: number | undefined;
  limit: number;
}

const madeBy = (db: Store, runId: number) =>
  selectVersions(db).where('artifact.run_id', '=', runId).where('artifact.state', '=', 'COMMITTED');

const usedByRun = (db: Store, runId: number) =>
  selectVersions(db)
    .innerJoin('artifact_usage', 'artifact_usage.artifact_id', 'artifact.id')
    .where('artifact_usage.run_id', '=', runId)
    .where('artifact.state', '=', 'COMMITTED');

/** Oldest first, one more than the limit. */
export const outputsOfRun = (db: Store, runId: number, { afterId = 0, limit }: Page): Promise<VersionRow[]> =>
  madeBy(db, runId)
    .where('artifact.id', '>', afterId)
    .orderBy('artifact.id')
    .limit(limit + 1)
    .execute();

export const inputsOfRun = (db: Store, runId: number, { afterId = 0, limit }: Page): Promise<VersionRow[]> =>
  usedByRun(db, runId)
    .where('artifact.id', '>', afterId)
    .orderBy('artifact.id')
    .limit(limit + 1)
    .execute();

export async function countOutputs(db: Store, runId: number): Promise<number> {
  const row = await madeBy(db, runId)
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

export async function countInputs(db: Store, runId: number): Promise<number> {
  const row = await usedByRun(db, runId)
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

/** Oldest first, one more than the limit; of all projects, so whoever shows them looks at who may see them. */
export async function runsThatUsed(db: Store, artifactId: number, { afterId = 0, limit }: Page): Promise<RunRow[]> {
  const ids = await db
    .selectFrom('artifact_usage')
    .select('run_id')
    .where('artifact_id', '=', artifactId)
    .where('run_id', '>', afterId)
    .orderBy('run_id')
    .limit(limit + 1)
    .execute();
  return runsByIds(
    db,
    ids.map((row) => row.run_id),
  );
}
