import { manifestLimits } from '../../../domain/artifact-manifest.js';
import { artifactPathProblem } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import {
  announceManifest,
  manifestById,
  updateManifest as storeManifestChange,
  type ManifestRow,
} from '../../../store/artifact-manifests.js';
import {
  announceUploads,
  keepUploadId,
  noteArtifactBlobStored,
  uploadByKey,
  type Upload,
} from '../../../store/artifact-uploads.js';
import { commitVersion } from '../../../store/artifact-commit.js';
import type { VersionRow } from '../../../store/artifact-versions.js';
import type { ManifestType } from '../../../store/schema.js';
import { artifactWireId } from '../../../domain/job.js';
import type { Context } from '../context.js';
import { wandbLimits } from '../deps.js';
import { artifactFileGlobalId, manifestGlobalId, manifestIdOf } from '../ids.js';
import { versionToWrite } from './artifact-create.js';
import { forgetLoaded, requireVersion, visibleVersion } from './artifact-scope.js';
import { runToWrite } from './run-mutations.js';

/** The bytes of versions: manifests, files, large files in parts; and the commit that shows them. */

export const artifactUploadResolvers = {
  Mutation: {
    createArtifactManifest,
    updateArtifactManifest,
    createArtifactFiles,
    completeMultipartUploadArtifact,
    commitArtifact,
  },
};

interface ManifestInput {
  artifactID: string;
  baseArtifactID?: string | null;
  name: string;
  digest: string;
  runName: string;
  entityName: string;
  projectName: string;
  type?: ManifestType | null;
}

async function createArtifactManifest(_: unknown, { input }: { input: ManifestInput }, context: Context) {
  const version = await versionToWrite(context, input.artifactID);
  const run = input.runName
    ? await runToWrite(context, input.entityName, input.projectName, input.runName, 'Logging an artifact')
    : undefined;
  const base = input.baseArtifactID ? await requireVersion(context, input.baseArtifactID) : undefined;
  const problem = artifactPathProblem(input.name);
  if (problem) throw new DavitError('invalid-request', problem);
  const manifest = await announceManifest(context.db, {
    artifactId: version.id,
    runId: run?.id,
    name: input.name,
    type: input.type ?? 'FULL',
    baseArtifactId: base?.id,
    digest: input.digest === '' ? '' : checkedMd5(input.digest),
  });
  return { artifactManifest: manifestNode(version, manifest) };
}

async function updateArtifactManifest(
  _: unknown,
  { input }: { input: { artifactManifestID: string; digest?: string | null; baseArtifactID?: string | null } },
  context: Context,
) {
  const id = manifestIdOf(input.artifactManifestID);
  const row = id === undefined ? undefined : await manifestById(context.db, id);
  if (!row) throw new DavitError('not-found', `There is no manifest "${input.artifactManifestID.slice(0, 200)}".`);
  const version = await versionToWrite(context, artifactWireId(row.artifact_id));
  const base = input.baseArtifactID ? await requireVersion(context, input.baseArtifactID) : undefined;
  const manifest = await storeManifestChange(context.db, row.id, {
    digest: input.digest ? checkedMd5(input.digest) : undefined,
    baseArtifactId: base?.id,
  });
  return { artifactManifest: manifestNode(version, manifest) };
}

function manifestNode(version: VersionRow, manifest: ManifestRow) {
  const md5Base64 = manifest.digest === '' ? undefined : manifest.digest;
  return {
    id: manifestGlobalId(manifest.id),
    digest: manifest.digest,
    file: {
      id: artifactFileGlobalId(version.id, manifest.name),
      name: manifest.name,
      displayName: manifest.name,
      sizeBytes: 0,
      artifact: version,
      uploadHeaders: md5Headers(md5Base64),
      uploadUrl: (_: unknown, { blobs, origin }: Context) =>
        blobs.uploadUrl(manifest.blobKey, {
          expiresInMs: wandbLimits.uploadLinkMs,
          maxBytes: manifestLimits.bytes,
          md5Base64,
          origin,
        }),
    },
  };
}

const md5Headers = (md5Base64: string | undefined): string[] =>
  md5Base64 === undefined ? [] : [`Content-MD5:${md5Base64}`];

function checkedMd5(text: string): string {
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text))
    throw new DavitError('invalid-request', `"${text.slice(0, 100)}" is not the base64 of an MD5.`);
  return text;
}

interface PartSpec {
  partNumber: number;
  hexMD5: string;
}
interface FileSpec {
  artifactID: string;
  name: string;
  md5: string;
  digest?: string | null;
  uploadPartsInput?: PartSpec[] | null;
}

/** One entry for each file, in order: the client matches them by their place. */
async function createArtifactFiles(_: unknown, { input }: { input: { artifactFiles: FileSpec[] } }, context: Context) {
  const specs = input.artifactFiles;
  if (specs.length > wandbLimits.filesPerRequest)
    throw new DavitError('invalid-request', `At most ${wandbLimits.filesPerRequest} files can be announced at once.`);
  for (const spec of specs) {
    const problem = artifactPathProblem(spec.name);
    if (problem) throw new DavitError('invalid-request', problem);
    checkedMd5(spec.md5);
    checkParts(spec);
  }
  const versions = new Map<string, VersionRow>();
  const uploads = new Map<string, Map<string, Upload>>();
  for (const wireId of new Set(specs.map((spec) => spec.artifactID))) {
    const version = await versionToWrite(context, wireId);
    versions.set(wireId, version);
    const md5s = specs.filter((spec) => spec.artifactID === wireId).map((spec) => spec.md5);
    const announced = await announceUploads(
      context.db,
      { artifactId: version.id, projectId: version.project_id },
      md5s,
    );
    uploads.set(wireId, announced);
  }
  const edges = specs.map((spec) => {
    const version = versions.get(spec.artifactID);
    const upload = uploads.get(spec.artifactID)?.get(spec.md5);
    if (!version || !upload) throw new Error(`the upload of ${spec.name} was not announced`);
    return { node: uploadNode(version, spec, upload), cursor: spec.name };
  });
  return {
    files: {
      edges,
      pageInfo: { endCursor: specs.at(-1)?.name ?? null, hasNextPage: false },
      totalCount: edges.length,
      uploadHeaders: [],
    },
  };
}

function checkParts({ name, uploadPartsInput: parts }: FileSpec): void {
  // Clients that upload with Python send an empty list for a file in one piece.
  if (!parts || parts.length === 0) return;
  const numbers = new Set(parts.map((part) => part.partNumber));
  const right =
    parts.length <= 10_000 &&
    numbers.size === parts.length &&
    parts.every((part) => part.partNumber >= 1 && part.partNumber <= 10_000 && /^[0-9a-fA-F]{32}$/.test(part.hexMD5));
  if (!right)
    throw new DavitError(
      'invalid-request',
      `The parts of "${name.slice(0, 200)}" are not 1 to 10,000 parts with an MD5 each.`,
    );
}

function uploadNode(version: VersionRow, spec: FileSpec, upload: Upload) {
  const parts = spec.uploadPartsInput ?? [];
  const inParts = !upload.stored && parts.length > 0;
  return {
    id: artifactFileGlobalId(version.id, spec.name),
    name: spec.name,
    displayName: spec.name,
    sizeBytes: 0,
    digest: spec.md5,
    md5: spec.md5,
    artifact: version,
    storagePath: upload.blobKey,
    uploadHeaders: upload.stored || inParts ? [] : md5Headers(spec.md5),
    // Null: stored already, nothing is to be sent. With parts the client goes by their addresses, but takes null here for "stored" all the same.
    uploadUrl: (_: unknown, { blobs, origin }: Context) =>
      upload.stored
        ? null
        : blobs.uploadUrl(upload.blobKey, {
            expiresInMs: wandbLimits.uploadLinkMs,
            maxBytes: wandbLimits.artifactFileBytes,
            md5Base64: spec.md5,
            origin,
          }),
    uploadMultipartUrls: inParts ? (_: unknown, context: Context) => partUrls(context, upload, parts) : null,
  };
}

async function partUrls({ db, blobs, origin }: Context, upload: Upload, parts: readonly PartSpec[]) {
  const key = upload.blobKey;
  let uploadID = upload.uploadId;
  if (uploadID === null) {
    const begun = await blobs.beginParts(key);
    uploadID = await keepUploadId(db, key, begun);
    // The same request came twice at once: one of the two goes on.
    if (uploadID !== begun) await blobs.abortParts(key, begun);
  }
  const uploadId = uploadID;
  return {
    uploadID,
    uploadUrlParts: parts.map(({ partNumber, hexMD5 }) => ({
      partNumber,
      uploadUrl: () =>
        blobs.partUrl(
          { key, uploadId, partNumber },
          {
            expiresInMs: wandbLimits.uploadLinkMs,
            maxBytes: wandbLimits.artifactFileBytes,
            md5Base64: Buffer.from(hexMD5, 'hex').toString('base64'),
            origin,
          },
        ),
    })),
  };
}

interface CompleteInput {
  completedParts: PartSpec[];
  artifactID: string;
  storagePath: string;
  uploadID: string;
}

async function completeMultipartUploadArtifact(_: unknown, { input }: { input: CompleteInput }, context: Context) {
  const version = await versionToWrite(context, input.artifactID);
  const upload = await uploadByKey(context.db, version.id, input.storagePath);
  if (!upload) throw new DavitError('not-found', 'This artifact has no such upload.');
  // The answer to an earlier attempt was lost.
  if (upload.size !== null) return { digest: upload.md5 };
  if (upload.upload_id !== input.uploadID)
    throw new DavitError('not-found', 'This artifact has no such upload in parts.');
  const parts = input.completedParts.map(({ partNumber, hexMD5 }) => ({ partNumber, etag: hexMD5 }));
  if (parts.length === 0 || parts.length > 10_000)
    throw new DavitError('invalid-request', 'An upload in parts has 1 to 10,000 of them.');
  const { size } = await context.blobs.completeParts(upload.key, input.uploadID, parts, upload.md5);
  await noteArtifactBlobStored(context, upload.key, size);
  return { digest: upload.md5 };
}

async function commitArtifact(_: unknown, { input }: { input: { artifactID: string } }, context: Context) {
  const version = await versionToWrite(context, input.artifactID);
  const committed = await commitVersion(
    {
      db: context.db,
      blobs: context.blobs,
      mayRead: async (other) => (await visibleVersion(context, other)) !== undefined,
      actor: context.actor.name,
    },
    version.id,
  );
  forgetLoaded(context);
  return { artifact: committed };
}
