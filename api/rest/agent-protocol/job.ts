import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { DavitError } from '../../../domain/errors.js';
import { logStreams } from '../../../domain/words.js';
import { recordProgress } from '../../../store/attempts.js';
import { openCodeArchive } from '../../../store/code-archive.js';
import { readJobVersion } from '../../../store/jobs.js';
import { appendLog } from '../../../store/launch-logs.js';
import { defineRoute } from '../route.js';
import { wholeNumber } from '../schemas.js';
import { claimSchema, heldLaunch, launchParams, requireHeld, tag } from './access.js';

/** What the job of a launch needs, and how it gets on. */

export const progress = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/progress',
  operationId: 'agentProgress',
  summary: 'How the attempt gets on',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({
    claim: claimSchema,
    n: z.int().describe('The agent counts its reports of a claim; a repeated one changes nothing.'),
    state: z.enum(['preparing', 'submitting', 'starting', 'running']).optional(),
    reason: z.string().max(2000).optional(),
    node: z.string().max(255).optional(),
    plan: z.record(z.string(), z.unknown()).optional(),
    at: z.iso.datetime(),
  }),
  response: z.object({ accepted: z.boolean().describe('False: the claim was lost, or the launch is being stopped.') }),
  handler: async ({ actor, params, body, deps }) => {
    await requireHeld(deps.db, actor, params.launchId, body.claim);
    const { claim: claimId, n, state, reason, node, plan } = body;
    const accepted = await recordProgress(deps.db, {
      launchId: params.launchId,
      claim: claimId,
      n,
      state,
      reason,
      node,
      plan,
      at: new Date(body.at),
    });
    return { accepted };
  },
});

const maxLogPieceBytes = 1024 * 1024;

export const log = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/log',
  operationId: 'agentLog',
  summary: 'Append to a stream of a launch; answers its length, where the next piece belongs',
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({
    claim: claimSchema,
    attempt: wholeNumber(1, 1_000_000),
    stream: z.enum(logStreams),
    fromByte: wholeNumber(0, 1e15),
    at: z.iso.datetime(),
    ended: z.enum(['true', 'false']),
  }),
  rawBody: { contentType: 'application/octet-stream', description: 'Bytes of the stream, at most 1 MiB.' },
  response: z.object({ length: z.int() }),
  handler: async ({ actor, params, query, deps, req }) => {
    await requireHeld(deps.db, actor, params.launchId, query.claim);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of req as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxLogPieceBytes) throw new DavitError('body-too-large');
      parts.push(part);
    }
    return appendLog(deps.db, {
      launchId: params.launchId,
      attempt: query.attempt,
      stream: query.stream,
      fromByte: query.fromByte,
      at: new Date(query.at),
      data: Buffer.concat(parts),
      ended: query.ended === 'true',
    });
  },
});

export const code = defineRoute({
  method: 'get',
  path: '/agents/{agentId}/launches/{launchId}/code',
  operationId: 'agentCode',
  summary: "The job's code",
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({ claim: claimSchema }),
  streams: ['application/gzip'],
  handler: async ({ actor, params, query, deps, res }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, query.claim);
    const { job } = launch.request;
    const version = job && (await readJobVersion(deps, job.artifactId));
    if (version?.codeArtifactId === undefined) throw new DavitError('not-found', 'This job has no code of its own.');
    const archive = await openCodeArchive(deps, version.codeArtifactId);
    res.setHeader('Content-Type', 'application/gzip');
    await pipeline(archive, res);
  },
});

export const patch = defineRoute({
  method: 'get',
  path: '/agents/{agentId}/launches/{launchId}/patch',
  operationId: 'agentPatch',
  summary: "Changes on top of the job's commit, as git diff writes them",
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({ claim: claimSchema }),
  streams: ['text/x-diff'],
  handler: async ({ actor, params, query, deps, res }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, query.claim);
    const { job } = launch.request;
    const version = job && (await readJobVersion(deps, job.artifactId));
    if (!version?.patch) throw new DavitError('not-found', 'This job changes nothing on top of its commit.');
    res.setHeader('Content-Type', 'text/x-diff');
    await pipeline(await deps.blobs.open(version.patch.blobKey), res);
  },
});
