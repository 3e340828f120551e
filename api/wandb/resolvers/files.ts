import { DavitError } from '../../../domain/errors.js';
import { mediaTypeOf } from '../../../domain/media-type.js';
import { audit } from '../../../store/audit.js';
import {
  announceRunFiles,
  countRunFiles,
  isRunFileName,
  listRunFiles,
  markRunFilesUploaded as markUploaded,
  removeRunFiles,
  runFileKey,
  type RunFile,
} from '../../../store/run-files.js';
import { runById } from '../../../store/runs.js';
import { requireOwnLaunch, requireWriter, visibleProject, type Context, type RunParent } from '../context.js';
import { wandbLimits } from '../deps.js';
import { parseRunFileGlobalId, runFileGlobalId, runGlobalId } from '../ids.js';
import { ownFields } from '../own-fields.js';
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
  Mutation: { createRunFiles, markRunFilesUploaded, deleteFiles },
  Run: {
    fileCount: (run: RunParent, _: unknown, { db }: Context) => countRunFiles(db, run.id),
    files,
  },
  // Files of artifacts answer for themselves.
  File: ownFields('run', {
    id: (file: FileParent) => runFileGlobalId(file.run.id, file.name),
    displayName: (file: FileParent) => file.name,
    url: (file: FileParent, args: { upload?: boolean | null }, context: Context) =>
      args.upload ? uploadLink(file, context) : downloadLink(file, context),
    directUrl: (file: FileParent, _: unknown, context: Context) => downloadLink(file, context),
    uploadUrl: (file: FileParent, _: unknown, context: Context) => uploadLink(file, context),
    sizeBytes: (file: FileParent) => file.stored?.size ?? 0,
    mimetype: (file: FileParent) => mediaTypeOf(file.name) ?? null,
    updatedAt: (file: FileParent) => file.stored?.uploadedAt ?? null,
    // `wandb.restore` takes "0" for "not found".
    md5: (file: FileParent) => (file.stored ? file.stored.md5 : '0'),
  }),
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

/** All of them or, when one is not to be seen or touched, none. A file that is gone already was deleted. */
async function deleteFiles(_: unknown, { input }: { input: { files: string[] } }, context: Context) {
  refuseTooMany(input.files);
  const names = new Map<number, string[]>();
  for (const id of input.files) {
    const file = parseRunFileGlobalId(id);
    if (!file) throw new DavitError('invalid-request', `"${id.slice(0, 200)}" is not the id of a file.`);
    names.set(file.runId, [...(names.get(file.runId) ?? []), file.name]);
  }
  const runs = await Promise.all([...names.keys()].map((id) => runOfFiles(context, id)));
  for (const run of runs) {
    const ofRun = names.get(run.id) ?? [];
    await removeRunFiles(context.db, context.blobs, run.id, ofRun);
    await audit(context.db, {
      actor: context.actor.name,
      action: 'run.delete-files',
      subject: `run/${run.entity_name}/${run.project_name}/${run.name}`,
      data: { files: ofRun.filter(isRunFileName).slice(0, 100), count: ofRun.length },
    });
  }
  return { success: true };
}

async function runOfFiles(context: Context, runId: number): Promise<RunParent> {
  const row = await runById(context.db, runId);
  const scope = row && (await visibleProject(context, row.entity_name, row.project_name));
  if (!row || !scope) throw new DavitError('not-found', 'There is no such file that this key may see.');
  requireWriter(scope.role, 'Deleting files');
  requireOwnLaunch(context, row);
  return { ...row, scope };
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
  const names = (args.names ?? []).filter((name) => name !== null).map(plainName);
  refuseTooMany(names);
  // Clients that say no number (`wandb pull` of old ones) read no second page.
  const limit = Math.min(Math.max(args.first ?? longestPage, 1), longestPage);
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
    totalCount: () => (names.length > 0 ? shown.length : countRunFiles(db, run.id)),
    uploadHeaders: [],
  };
}

/** `run.save("./a.txt")` stores `a.txt`, and whoever saved it asks for it as it was said. */
const plainName = (name: string): string => name.replace(/^(\.\/+)+/, '');

/** Of a file that is not there too: the address says so (404), where none would be an exception about addresses in the user's program. */
async function downloadLink(file: FileParent, { blobs, origin }: Context): Promise<string | null> {
  if (!isRunFileName(file.name)) return null;
  return blobs.downloadUrl(runFileKey(file.run.id, file.name), {
    expiresInMs: wandbLimits.downloadLinkMs,
    fileName: file.name,
    origin,
  });
}

/** Null for a name that no file can have: the client leaves that one out and goes on. */
async function uploadLink(file: FileParent, context: Context): Promise<string | null> {
  const { blobs, db, origin } = context;
  requireWriter(file.run.scope.role, 'Uploading files');
  requireOwnLaunch(context, file.run);
  const key = file.announced ?? (await announceRunFiles(db, file.run.id, [file.name]))[0];
  if (key?.blobKey === undefined) return null;
  return blobs.uploadUrl(key.blobKey, {
    expiresInMs: wandbLimits.uploadLinkMs,
    maxBytes: wandbLimits.runFileBytes,
    origin,
  });
}
