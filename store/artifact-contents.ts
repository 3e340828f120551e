import type { ManifestEntry } from '../domain/artifact-manifest.js';
import { DavitError } from '../domain/errors.js';
import { artifactIdOfWireId } from '../domain/job.js';
import { selectVersions, type VersionRow } from './artifact-versions.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';

/** Where the bytes of a manifest's files are. */

export interface Located {
  path: string;
  md5: string;
  size: number;
  blobKey: string;
  birthArtifactId: number | null;
  /** In `artifact_blob`; others (code by REST) are kept for ever. */
  counted: boolean;
}

interface Blob {
  key: string;
  /** Null: nobody has looked yet whether its bytes came. */
  size: number | null;
  counted: boolean;
}

interface Deps {
  db: Store;
  blobs: Blobs;
  mayRead(version: VersionRow): Promise<boolean>;
}

/** S3 takes uploads without us, so each of them is looked at, this many at a time. */
const parallelLooks = 32;
const shownNames = 5;

/** Finds every file's bytes: uploaded for this version, or stored by the version that the entry names as its birth. Throws `artifact-incomplete`. */
export async function locateContents(
  deps: Deps,
  version: VersionRow,
  files: readonly (readonly [string, ManifestEntry])[],
): Promise<Located[]> {
  const own = await uploadsOf(deps.db, version.id);
  await lookAtUploads(deps, own, new Set(files.map(([, entry]) => entry.digest)));
  const elsewhere = files.filter(([, entry]) => (own.get(entry.digest)?.size ?? null) === null);
  const born = await contentsOfBirths(deps, version, elsewhere);
  const missing: string[] = [];
  const located: Located[] = [];
  for (const [path, entry] of files) {
    const birthId = birthOf(entry);
    const mine = own.get(entry.digest);
    const blob = mine && mine.size !== null ? mine : born.get(`${birthId ?? ''} ${entry.digest}`);
    if (blob?.size === undefined || blob.size === null) {
      missing.push(path);
      continue;
    }
    if (typeof entry.size === 'number' && entry.size !== blob.size)
      throw new DavitError(
        'digest-mismatch',
        `The manifest says that "${path.slice(0, 200)}" has ${entry.size} bytes; ${blob.size} came.`,
      );
    located.push({
      path,
      md5: entry.digest,
      size: blob.size,
      blobKey: blob.key,
      birthArtifactId: birthId === version.id ? null : (birthId ?? null),
      counted: blob.counted,
    });
  }
  if (missing.length > 0) {
    const names = missing.slice(0, shownNames).map((path) => `"${path.slice(0, 200)}"`);
    throw new DavitError(
      'artifact-incomplete',
      `The artifact is not complete: ${missing.length} of its files ${missing.length === 1 ? 'is' : 'are'} not here (${names.join(', ')}${missing.length > shownNames ? ', …' : ''}).`,
    );
  }
  return located;
}

async function uploadsOf(db: Store, artifactId: number): Promise<Map<string, Blob>> {
  const rows = await db
    .selectFrom('artifact_upload as upload')
    .innerJoin('artifact_blob as blob', 'blob.key', 'upload.blob_key')
    .select(['upload.md5', 'blob.key', 'blob.size'])
    .where('upload.artifact_id', '=', artifactId)
    .execute();
  return new Map(rows.map((row) => [row.md5, { key: row.key, size: row.size, counted: true }]));
}

async function lookAtUploads({ db, blobs }: Deps, uploads: Map<string, Blob>, wanted: Set<string>): Promise<void> {
  const unknown = [...uploads].filter(([md5, blob]) => blob.size === null && wanted.has(md5));
  for (let at = 0; at < unknown.length; at += parallelLooks)
    await Promise.all(
      unknown.slice(at, at + parallelLooks).map(async ([md5, blob]) => {
        const found = await blobs.stat(blob.key);
        if (!found) return;
        if (found.md5Base64 !== undefined && found.md5Base64 !== md5)
          throw new DavitError('digest-mismatch', 'A file of the artifact has other bytes than it was announced with.');
        // Remembered, so that a commit that is cut off goes on from here.
        await db.updateTable('artifact_blob').set({ size: found.size }).where('key', '=', blob.key).execute();
        blob.size = found.size;
      }),
    );
}

/** By `<birth id> <md5>`. Only births that may be read, and this project's content for entries that name none. */
async function contentsOfBirths(
  deps: Deps,
  version: VersionRow,
  files: readonly (readonly [string, ManifestEntry])[],
): Promise<Map<string, Blob>> {
  const found = new Map<string, Blob>();
  const byBirth = new Map<number | undefined, Set<string>>();
  for (const [, entry] of files) {
    const birth = birthOf(entry);
    let digests = byBirth.get(birth);
    if (!digests) byBirth.set(birth, (digests = new Set()));
    digests.add(entry.digest);
  }
  const ids = [...byBirth.keys()].filter((id) => id !== undefined);
  const births = ids.length === 0 ? [] : await selectVersions(deps.db).where('artifact.id', 'in', ids).execute();
  for (const birth of births) {
    if (birth.project_id !== version.project_id && !(await deps.mayRead(birth))) continue;
    for (const some of slices([...(byBirth.get(birth.id) ?? [])])) {
      const rows = await deps.db
        .selectFrom('artifact_file as file')
        .leftJoin('artifact_blob as blob', 'blob.key', 'file.blob_key')
        .select(['file.md5', 'file.blob_key', 'file.size', 'blob.key as counted'])
        .where('file.artifact_id', '=', birth.id)
        .where('file.md5', 'in', some)
        .execute();
      for (const row of rows)
        found.set(`${birth.id} ${row.md5}`, { key: row.blob_key, size: row.size, counted: row.counted !== null });
    }
  }
  // A birth that is gone, or none named: the same bytes may be here from another version of this project.
  for (const [birth, digests] of byBirth)
    for (const some of slices([...digests].filter((md5) => !found.has(`${birth ?? ''} ${md5}`)))) {
      const rows = await deps.db
        .selectFrom('artifact_blob')
        .select(['key', 'md5', 'size'])
        .where('project_id', '=', version.project_id)
        .where('md5', 'in', some)
        .where('size', 'is not', null)
        .where('removing', '=', false)
        .execute();
      for (const row of rows) found.set(`${birth ?? ''} ${row.md5}`, { key: row.key, size: row.size, counted: true });
    }
  return found;
}

const birthOf = (entry: ManifestEntry): number | undefined =>
  entry.birthArtifactID ? artifactIdOfWireId(entry.birthArtifactID) : undefined;

function* slices<T>(list: T[], length = 10_000): Generator<T[]> {
  for (let at = 0; at < list.length; at += length) yield list.slice(at, at + length);
}
