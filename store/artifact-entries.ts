import { sql } from 'kysely';
import { artifactWireId } from '../domain/job.js';
import { currentManifest, type VersionRow } from './artifact-versions.js';
import type { Blobs } from './blobs/blobs.js';
import { putContent } from './content.js';
import type { Store } from './open.js';

/** What is in a version: files with bytes, and references that only point elsewhere. */

export interface EntryRow {
  path: string;
  /** Base64 MD5; of a reference whatever the client put there. */
  digest: string;
  size: number | null;
  /** Null: a reference. */
  blob_key: string | null;
  ref: string | null;
}

interface Filter {
  names?: readonly string[] | undefined;
  after?: string | null | undefined;
}

const files = (db: Store, artifactId: number, { names, after }: Filter) =>
  db
    .selectFrom('artifact_file')
    .select((eb) => [
      'path',
      'md5 as digest',
      eb.ref('size').$castTo<number | null>().as('size'),
      eb.ref('blob_key').$castTo<string | null>().as('blob_key'),
      sql<string | null>`null::text`.as('ref'),
    ])
    .where('artifact_id', '=', artifactId)
    .$if(names !== undefined, (q) => q.where('path', 'in', [...(names ?? []), '']))
    .$if(!!after, (q) => q.where('path', '>', after ?? ''));

const references = (db: Store, artifactId: number, { names, after }: Filter) =>
  db
    .selectFrom('artifact_reference')
    .select((eb) => [
      'path',
      'digest',
      'size',
      sql<string | null>`null::text`.as('blob_key'),
      eb.ref('ref').$castTo<string | null>().as('ref'),
    ])
    .where('artifact_id', '=', artifactId)
    .$if(names !== undefined, (q) => q.where('path', 'in', [...(names ?? []), '']))
    .$if(!!after, (q) => q.where('path', '>', after ?? ''));

/** By path, one more than the limit. */
export async function listEntries(
  db: Store,
  artifactId: number,
  { limit, ...filter }: Filter & { limit: number },
): Promise<EntryRow[]> {
  return db
    .selectFrom(
      files(db, artifactId, filter)
        .unionAll(references(db, artifactId, filter))
        .as('entry'),
    )
    .selectAll()
    .orderBy('path')
    .limit(limit + 1)
    .execute();
}

export async function countEntries(db: Store, artifactId: number, names?: readonly string[]): Promise<number> {
  const row = await db
    .selectFrom(
      files(db, artifactId, { names })
        .unionAll(references(db, artifactId, { names }))
        .as('entry'),
    )
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

/** Where the bytes of the manifest lie that readers get. */
export async function manifestBlob(
  db: Store,
  blobs: Blobs,
  version: VersionRow,
): Promise<{ key: string; digest: string; size: number }> {
  const { blob_key, digest, size } =
    (await currentManifest(db, version.id)) ?? (await writeManifest(db, blobs, version));
  return { key: blob_key, digest, size: size ?? 0 };
}

/** Writes the manifest of a version that no wandb client made: its files are rows only. */
export async function writeManifest(
  db: Store,
  blobs: Blobs,
  version: VersionRow,
): Promise<{ blob_key: string; digest: string; size: number }> {
  const rows = await db
    .selectFrom('artifact_file')
    .select(['path', 'md5', 'size', 'birth_artifact_id'])
    .where('artifact_id', '=', version.id)
    .orderBy('path')
    .execute();
  const contents = Object.fromEntries(
    rows.map((row) => [
      row.path,
      { digest: row.md5, birthArtifactID: artifactWireId(row.birth_artifact_id ?? version.id), size: row.size },
    ]),
  );
  const text = JSON.stringify({
    version: 1,
    storagePolicy: 'wandb-storage-policy-v1',
    storagePolicyConfig: { storageLayout: 'V2' },
    contents,
  });
  const put = await putContent(blobs, 'wandb_manifest.json', Buffer.from(text));
  return { blob_key: put.blobKey, digest: put.md5, size: put.size };
}

/** What a download address says besides the digest: which version, or which collections it may be in. */
export interface BytesPlace {
  artifactId?: number | undefined;
  collectionIds: readonly number[];
}

/** Bytes of this digest in a version that has a place in one of the collections. */
export async function bytesIn(db: Store, md5: string, place: BytesPlace): Promise<string | undefined> {
  const row = await db
    .selectFrom('artifact_membership')
    .innerJoin('artifact_file', 'artifact_file.artifact_id', 'artifact_membership.artifact_id')
    .select('artifact_file.blob_key')
    .where('artifact_membership.collection_id', 'in', [...place.collectionIds, 0])
    .where('artifact_file.md5', '=', md5)
    .$if(place.artifactId !== undefined, (q) => q.where('artifact_membership.artifact_id', '=', place.artifactId ?? 0))
    .limit(1)
    .executeTakeFirst();
  return row?.blob_key;
}

/** The same wherever in these projects it is. */
export async function bytesInProjects(
  db: Store,
  md5: string,
  projectIds: readonly number[],
): Promise<string | undefined> {
  const row = await db
    .selectFrom('artifact_file')
    .innerJoin('artifact_membership', 'artifact_membership.artifact_id', 'artifact_file.artifact_id')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact_membership.collection_id')
    .select('artifact_file.blob_key')
    .where('artifact_file.md5', '=', md5)
    .where('artifact_collection.project_id', 'in', [...projectIds, 0])
    .limit(1)
    .executeTakeFirst();
  return row?.blob_key;
}

/** The same for addresses of old clients, which name the version that first had the bytes, and at most an entity. */
export async function bytesBornIn(
  db: Store,
  md5: string,
  birth: { artifactId: number; projectIds: readonly number[] },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('artifact_file as first')
    .innerJoin('artifact_file as now', 'now.blob_key', 'first.blob_key')
    .innerJoin('artifact_membership', 'artifact_membership.artifact_id', 'now.artifact_id')
    .innerJoin('artifact_collection', 'artifact_collection.id', 'artifact_membership.collection_id')
    .select('first.blob_key')
    .where('first.artifact_id', '=', birth.artifactId)
    .where('first.md5', '=', md5)
    .where('artifact_collection.project_id', 'in', [...birth.projectIds, 0])
    .limit(1)
    .executeTakeFirst();
  return row?.blob_key;
}
