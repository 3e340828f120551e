import { audit } from './audit.js';
import { deleteVersion } from './artifact-delete.js';
import { selectVersions } from './artifact-versions.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';

/**
 * Takes away what nobody can need: versions past their age limit, uploads that nobody went on with, manifests and bytes that nothing refers
 * to any more. Every API process sweeps; what one has locked the others leave alone. Killed anywhere, the next sweep goes on: bytes are
 * removed before the row that knows of them.
 */

interface Deps {
  db: Store;
  blobs: Blobs;
}

/** Longer than any address for an upload is valid, so that no bytes can come after. */
const abandonedMs = 3 * 24 * 3600 * 1000;

const atOnce = 200;

interface Swept {
  expired: number;
  abandoned: number;
  manifests: number;
  blobs: number;
}

export async function sweepArtifacts(deps: Deps, options: { abandonedMs?: number } = {}): Promise<Swept> {
  const quietMs = options.abandonedMs ?? abandonedMs;
  return {
    expired: await sweepExpired(deps.db),
    abandoned: await sweepAbandoned(deps.db, quietMs),
    manifests: await sweepManifests(deps, quietMs),
    blobs: await sweepBlobs(deps),
  };
}

/** Versions in a collection of links are kept: somebody chose them. */
async function sweepExpired(db: Store): Promise<number> {
  const rows = await selectVersions(db)
    .where('artifact.state', '=', 'COMMITTED')
    .where('artifact.expires_at', '<', new Date())
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('artifact_membership as place')
            .select('place.id')
            .whereRef('place.artifact_id', '=', 'artifact.id')
            .whereRef('place.collection_id', '!=', 'artifact.collection_id'),
        ),
      ),
    )
    .orderBy('artifact.expires_at')
    .limit(atOnce)
    .execute();
  let expired = 0;
  for (const row of rows)
    await db.transaction().execute(async (tx) => {
      if (!(await deleteVersion(tx, row.id))) return;
      expired += 1;
      const subject = `artifact/${row.entity_name}/${row.project_name}/${row.collection}:v${row.version_index ?? 0}`;
      await audit(tx, { actor: 'davit', action: 'artifact.expire', subject });
    });
  return expired;
}

async function sweepAbandoned(db: Store, quietMs: number): Promise<number> {
  const rows = await db
    .selectFrom('artifact')
    .select('id')
    .where('state', '=', 'PENDING')
    .where('updated_at', '<', new Date(Date.now() - quietMs))
    .orderBy('updated_at')
    .limit(atOnce)
    .execute();
  let abandoned = 0;
  for (const { id } of rows)
    await db.transaction().execute(async (tx) => {
      // Its upload may have gone on, or been committed, since the list was read.
      const still = await tx
        .selectFrom('artifact')
        .select('id')
        .where('id', '=', id)
        .where('state', '=', 'PENDING')
        .where('updated_at', '<', new Date(Date.now() - quietMs))
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (still && (await deleteVersion(tx, id))) abandoned += 1;
    });
  return abandoned;
}

/** Those of deleted versions, and those that a later one replaced. */
async function sweepManifests({ db, blobs }: Deps, quietMs: number): Promise<number> {
  const rows = await db
    .selectFrom('artifact_manifest as manifest')
    .innerJoin('artifact', 'artifact.id', 'manifest.artifact_id')
    .select(['manifest.id', 'manifest.blob_key'])
    .where('manifest.current', '=', false)
    .where('artifact.state', '!=', 'PENDING')
    .where('manifest.created_at', '<', new Date(Date.now() - quietMs))
    .limit(atOnce)
    .execute();
  for (const { id, blob_key } of rows) {
    await blobs.remove(blob_key);
    await db.deleteFrom('artifact_manifest').where('id', '=', id).execute();
  }
  return rows.length;
}

async function sweepBlobs({ db, blobs }: Deps): Promise<number> {
  await db.transaction().execute(async (tx) => {
    const suspects = await tx
      .selectFrom('artifact_blob')
      .select('key')
      .where('suspect', '=', true)
      .where('removing', '=', false)
      .limit(atOnce)
      .forUpdate()
      .skipLocked()
      .execute();
    if (suspects.length === 0) return;
    const keys = suspects.map((row) => row.key);
    // Read after the locks: whoever refers to a blob does so while it holds the row, and has either been here or finds it being removed.
    const used = new Set<string>();
    for (const table of ['artifact_upload', 'artifact_file'] as const)
      for (const row of await tx
        .selectFrom(table)
        .select('blob_key')
        .where('blob_key', 'in', keys)
        .distinct()
        .execute())
        used.add(row.blob_key);
    const unused = keys.filter((key) => !used.has(key));
    await tx.updateTable('artifact_blob').set({ suspect: false }).where('key', 'in', keys).execute();
    if (unused.length > 0)
      await tx.updateTable('artifact_blob').set({ removing: true }).where('key', 'in', unused).execute();
  });
  const going = await db
    .selectFrom('artifact_blob')
    .select(['key', 'upload_id'])
    .where('removing', '=', true)
    .limit(atOnce)
    .execute();
  for (const { key, upload_id } of going) {
    if (upload_id !== null) await blobs.abortParts(key, upload_id);
    await blobs.remove(key);
    await db.deleteFrom('artifact_blob').where('key', '=', key).where('removing', '=', true).execute();
  }
  return going.length;
}
