import { DavitError } from '../../../domain/errors.js';
import {
  announceRunFiles,
  countRunFiles,
  listRunFiles,
  markRunFilesUploaded as markUploaded,
  type RunFile,
} from '../../../store/run-files.js';
import { requireWriter, type Context, type RunParent } from '../context.js';
import { wandbLimits } from '../deps.js';
import { runFileGlobalId, runGlobalId } from '../ids.js';
import { runToWrite } from './run-mutations.js';

interface FilesInput {
  entityName: string;
  projectName: string;
  runName: string;
  files: string[];
}

/** A file of a run, there or only asked for. */
interface FileParent {
  run: RunParent;
  name: string;
  stored: RunFile | undefined;
  /** Set when its upload has been announced: the key, or none for a name that cannot be. */
  announced?: { blobKey: string | undefined };
}

const longestPage = 1000;

export const fileResolvers = {
  Mutation: { createRunFiles, markRunFilesUploaded },
  Run: {
    fileCount: (run: RunParent, _: unknown, { db }: Context) => countRunFiles(db, run.id),
    files,
  },
  File: {
    id: (file: FileParent) => runFileGlobalId(file.run.id, file.name),
    displayName: (file: FileParent) => file.name,
    url: (file: FileParent, args: { upload?: boolean | null }, context: Context) =>
      args.upload ? uploadLink(file, context) : downloadLink(file, context),
    directUrl: (file: FileParent, _: unknown, context: Context) => downloadLink(file, context),
    uploadUrl: (file: FileParent, _: unknown, context: Context) => uploadLink(file, context),
    sizeBytes: (file: FileParent) => file.stored?.size ?? 0,
    mimetype: () => null,
    updatedAt: (file: FileParent) => file.stored?.uploadedAt ?? null,
    // `wandb.restore` takes "0" for "not found".
    md5: (file: FileParent) => (file.stored ? null : '0'),
  },
};

/** One entry for each name, in order: a client that gets another number gives up on all of them. */
async function createRunFiles(_: unknown, { input }: { input: FilesInput }, context: Context) {
  const run = await runToWrite(context, input.entityName, input.projectName, input.runName, 'Uploading files');
  refuseTooMany(input.files);
  const announced = await announceRunFiles(context.db, run.id, input.files);
  return {
    runID: runGlobalId(run),
    uploadHeaders: [],
    files: announced.map(({ name, blobKey }): FileParent => ({ run, name, stored: undefined, announced: { blobKey } })),
  };
}

async function markRunFilesUploaded(_: unknown, { input }: { input: FilesInput }, context: Context) {
  const run = await runToWrite(context, input.entityName, input.projectName, input.runName, 'Uploading files');
  refuseTooMany(input.files);
  await markUploaded(context.db, context.blobs, run.id, input.files);
  return { success: true };
}

function refuseTooMany(files: string[]): void {
  if (files.length > wandbLimits.filesPerRequest)
    throw new DavitError('invalid-request', `At most ${wandbLimits.filesPerRequest} files can be announced at once.`);
}

interface FilesArgs {
  names?: (string | null)[] | null;
  after?: string | null;
  first?: number | null;
  pattern?: string | null;
}

async function files(run: RunParent, args: FilesArgs, { db }: Context) {
  const names = (args.names ?? []).filter((name) => name !== null);
  const limit = Math.min(Math.max(args.first ?? 50, 1), longestPage);
  const stored = await listRunFiles(db, run.id, {
    ...(names.length > 0 ? { names } : {}),
    ...(args.pattern ? { pattern: args.pattern } : {}),
    ...(args.after ? { afterName: args.after } : {}),
    limit: names.length > 0 ? names.length : limit + 1,
  });
  // Files that are asked for by name and are not there get an entry that says so: the client takes the first without looking.
  const found = new Map(stored.map((file) => [file.name, file]));
  const shown: FileParent[] =
    names.length > 0
      ? names.map((name) => ({ run, name, stored: found.get(name) }))
      : stored.slice(0, limit).map((file) => ({ run, name: file.name, stored: file }));
  return {
    edges: shown.map((node) => ({ node, cursor: node.name })),
    pageInfo: { endCursor: shown.at(-1)?.name ?? null, hasNextPage: names.length === 0 && stored.length > limit },
    uploadHeaders: [],
  };
}

async function downloadLink(file: FileParent, { blobs, origin }: Context): Promise<string | null> {
  if (!file.stored) return null;
  return blobs.downloadUrl(file.stored.blobKey, {
    expiresInMs: wandbLimits.downloadLinkMs,
    fileName: file.name,
    origin,
  });
}

/** Null for a name that no file can have: the client leaves that one out and goes on. */
async function uploadLink(file: FileParent, { blobs, db, origin }: Context): Promise<string | null> {
  requireWriter(file.run.scope.role, 'Uploading files');
  const key = file.announced ?? (await announceRunFiles(db, file.run.id, [file.name]))[0];
  if (key?.blobKey === undefined) return null;
  return blobs.uploadUrl(key.blobKey, {
    expiresInMs: wandbLimits.uploadLinkMs,
    maxBytes: wandbLimits.runFileBytes,
    origin,
  });
}
