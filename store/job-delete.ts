import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import { lockCollectionById } from './artifact-collections.js';
import { deleteCollection } from './artifact-collection-edit.js';
import { deleteVersion } from './artifact-delete.js';
import type { CollectionRow } from './artifact-lists.js';
import type { Store } from './open.js';

export interface JobUses {
  /** Launches that wait or run. */
  open: number;
  /** Some of them. */
  launches: string[];
  ended: number;
  runs: number;
  /** Besides `latest`. */
  aliases: string[];
}

/** Who uses a job, or one version of it. */
export async function usesOf(db: Store, collectionId: number, artifactId?: number): Promise<JobUses> {
  const versions = sql`select id from artifact where collection_id = ${collectionId} ${
    artifactId === undefined ? sql`` : sql`and id = ${artifactId}`
  }`;
  const isOver = sql`state in ('finished', 'failed', 'stopped')`;
  const result = await sql<JobUses>`
    with used as (select id, ${isOver} as is_over from launch where job_artifact_id in (${versions}))
    select (select count(*)::int from used where not is_over) as open,
      (select count(*)::int from used where is_over) as ended,
      coalesce((select array_agg(id) from (select id from used where not is_over order by id limit 20) first_ones), '{}') as launches,
      (select count(distinct run_id)::int from artifact_usage where artifact_id in (${versions})) as runs,
      coalesce((select array_agg(alias order by alias) from artifact_alias
        where collection_id = ${collectionId} and artifact_id in (${versions}) and alias <> 'latest'), '{}') as aliases`.execute(
    db,
  );
  const row = result.rows[0];
  if (!row) throw new Error('a select without from answered nothing');
  return row;
}

/**
 * Deletes a job or one version of it, unless somebody needs it. Rows stay for the launches that name it. In a transaction only. Undefined: it
 * was deleted already.
 */
export async function deleteJob(
  tx: Store,
  ask: { collection: Pick<CollectionRow, 'id' | 'kind'>; artifactId: number | undefined; withAliases: boolean },
): Promise<JobUses | undefined> {
  const { collection, artifactId, withAliases } = ask;
  await lockCollectionById(tx, collection.id);
  const uses = await usesOf(tx, collection.id, artifactId);
  if (uses.open > 0)
    throw new DavitError(
      'job-in-use',
      `${uses.open === 1 ? 'One launch that has' : `${uses.open} launches that have`} not ended ${uses.open === 1 ? 'uses' : 'use'} it: ${uses.launches.join(', ')}.`,
      { extra: { uses } },
    );
  if (artifactId === undefined) return (await deleteCollection(tx, collection)) ? uses : undefined;
  if (uses.aliases.length > 0 && !withAliases)
    throw new DavitError(
      'conflict',
      `This version has other names (${uses.aliases.join(', ')}): move them first, or let them go with it.`,
    );
  return (await deleteVersion(tx, artifactId)) ? uses : undefined;
}
