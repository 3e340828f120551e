import type { Selectable } from 'kysely';
import type { Store } from './open.js';
import type { Schema } from './schema.js';

/** A version with the sequence, project and entity that it lies in: the parent of the GraphQL type Artifact, whoever answers with one. */
export interface VersionRow extends Selectable<Schema['artifact']> {
  collection: string;
  type: string;
  project_id: number;
  project_name: string;
  entity_id: number;
  entity_name: string;
}

/** To be narrowed by `where`: what every reader of versions selects. */
export const selectVersions = (db: Store) =>
  db
    .selectFrom('artifact')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact.collection_id')
    .innerJoin('project', 'project.id', 'artifact_collection.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .selectAll('artifact')
    .select([
      'artifact_collection.name as collection',
      'artifact_collection.type',
      'project.id as project_id',
      'project.name as project_name',
      'entity.id as entity_id',
      'entity.name as entity_name',
    ]);

export const versionById = (db: Store, id: number): Promise<VersionRow | undefined> =>
  selectVersions(db).where('artifact.id', '=', id).executeTakeFirst();

/** Of several projects the same client id may name several versions; whoever asks takes the first that it may see. */
export const versionsByClientId = (db: Store, clientId: string): Promise<VersionRow[]> =>
  selectVersions(db)
    .innerJoin('artifact_client_id as client', 'client.artifact_id', 'artifact.id')
    .where('client.client_id', '=', clientId)
    .orderBy('artifact.id', 'desc')
    .limit(100)
    .execute();

/** The newest committed version of a sequence. */
export const latestVersionOf = (db: Store, collectionId: number): Promise<VersionRow | undefined> =>
  selectVersions(db)
    .where('artifact.collection_id', '=', collectionId)
    .where('artifact.state', '=', 'COMMITTED')
    .orderBy('artifact.version_index', 'desc')
    .limit(1)
    .executeTakeFirst();

/** The manifest that readers get; undefined for versions that were not made by a wandb client (their files are rows only). */
export const currentManifest = (db: Store, artifactId: number) =>
  db
    .selectFrom('artifact_manifest')
    .selectAll()
    .where('artifact_id', '=', artifactId)
    .where('current', '=', true)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
