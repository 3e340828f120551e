import { countEntries, listEntries, writeManifest, type EntryRow } from '../../../store/artifact-entries.js';
import type { VersionRow } from '../../../store/artifact-versions.js';
import type { Context } from '../context.js';
import { wandbLimits } from '../deps.js';
import { artifactFileGlobalId, manifestGlobalId } from '../ids.js';
import { loadersOf } from './artifact-scope.js';

/** Files and manifests of versions. Every address is made when it is asked for, and only for the page that is shown. */

const longestPage = 5_000;

export interface FilesArgs {
  names?: string[] | null;
  after?: string | null;
  first?: number | null;
}

/** A node of the type File. */
export function fileNode(version: VersionRow, entry: EntryRow) {
  const link = async (_: unknown, { blobs, origin }: Context): Promise<string | null> =>
    entry.blob_key === null
      ? null
      : blobs.downloadUrl(entry.blob_key, {
          expiresInMs: wandbLimits.downloadLinkMs,
          fileName: entry.path.split('/').at(-1) ?? entry.path,
          origin,
        });
  return {
    id: artifactFileGlobalId(version.id, entry.path),
    name: entry.path,
    displayName: entry.path,
    url: link,
    // Of a reference where it points to; clients read those from there.
    directUrl: async (args: unknown, context: Context) => (await link(args, context)) ?? entry.ref ?? '',
    uploadUrl: null,
    sizeBytes: entry.size ?? 0,
    storagePath: null,
    mimetype: null,
    updatedAt: version.committed_at ?? version.created_at,
    digest: entry.digest,
    md5: entry.blob_key === null ? null : entry.digest,
  };
}

export async function filesOfVersion(version: VersionRow, args: FilesArgs, { db }: Context) {
  const names = args.names && args.names.length > 0 ? args.names.slice(0, longestPage) : undefined;
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  const rows = await listEntries(db, version.id, { names, after: args.after, limit });
  const shown = rows.slice(0, limit);
  return {
    edges: shown.map((entry) => ({ node: fileNode(version, entry), cursor: entry.path })),
    pageInfo: { endCursor: shown.at(-1)?.path ?? null, hasNextPage: rows.length > limit },
    totalCount: () => countEntries(db, version.id, names),
    uploadHeaders: [],
  };
}

/** Those of the named entries that the version has, in the order they were asked for; all of them at once. */
export async function filesByManifestEntries(
  version: VersionRow,
  args: { entries?: { name: string }[] | null },
  { db }: Context,
) {
  const names = (args.entries ?? []).slice(0, longestPage).map((entry) => entry.name);
  const rows = await listEntries(db, version.id, { names, limit: longestPage });
  const found = new Map(rows.map((row) => [row.path, row]));
  const shown = names.flatMap((name) => found.get(name) ?? []);
  return {
    edges: shown.map((entry) => ({ node: fileNode(version, entry), cursor: entry.path })),
    pageInfo: { endCursor: shown.at(-1)?.path ?? null, hasNextPage: false },
    totalCount: shown.length,
    uploadHeaders: [],
  };
}

/** Null until the version is committed. */
export async function currentManifestOf(version: VersionRow, _: unknown, context: Context) {
  if (version.state !== 'COMMITTED') return null;
  const stored = await loadersOf(context).manifest(version.id);
  const manifest = stored ?? (await writeManifest(context.db, context.blobs, version));
  return {
    id: manifestGlobalId(stored?.id ?? version.id),
    digest: manifest.digest,
    file: fileNode(version, {
      path: 'wandb_manifest.json',
      digest: manifest.digest,
      size: manifest.size,
      blob_key: manifest.blob_key,
      ref: null,
    }),
  };
}
