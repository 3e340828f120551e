import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { AgentApiRefusal, type AgentApi, type ClaimReply } from '../activities/agent/agent-api.js';
import type { Work } from '../activities/agent/lease.js';
import { createDavitClient, DavitApiError, type components } from '../client/index.js';

export type Duty = components['schemas']['AgentDuty'];
export type HelloReply = components['schemas']['AgentWelcome'];
export type HelloBody = components['schemas']['AgentHello'];

export interface AgentIdentity {
  agentId: string;
  incarnation: string;
}

const callTimeoutMs = 8_000;

/** The agent's side of the agent protocol, over the generated client. */
export function agentClient(options: { apiUrl: string; apiKey: string }) {
  const client = createDavitClient({ baseUrl: options.apiUrl, apiKey: options.apiKey });
  const timeout = (): AbortSignal => AbortSignal.timeout(callTimeoutMs);

  return {
    async hello(body: HelloBody): Promise<HelloReply> {
      const { data } = await client.POST('/agents/hello', { body, signal: timeout() });
      return present(data);
    },
    async heartbeat(
      agentId: string,
      body: { incarnation: string; status: 'active' | 'draining' | 'stopped'; queues: string[] },
    ): Promise<Duty> {
      const { data } = await client.POST('/agents/{agentId}/heartbeat', {
        params: { path: { agentId } },
        body,
        signal: timeout(),
      });
      return present(data);
    },
    /** Where a launch that this agent holds stands in its trace; undefined: in none. */
    traceOf: (agentId: string) => async (launchId: string, claim: string) => {
      const { data } = await client.GET('/agents/{agentId}/launches/{launchId}/trace', {
        params: { path: { agentId, launchId }, query: { claim } },
        signal: timeout(),
      });
      return data?.traceparent ?? undefined;
    },
    forAgent: ({ agentId, incarnation }: AgentIdentity): AgentApi => {
      const path = (launchId: string) => ({ agentId, launchId });
      return {
        claim: async ({ queueId, class: lineClass, ticket, ticketAttempt, signal }) => {
          const { data } = await client.POST('/agents/{agentId}/claim', {
            params: { path: { agentId } },
            body: {
              incarnation,
              queueId,
              ...(lineClass === undefined ? {} : { class: lineClass }),
              ticket,
              ticketAttempt,
            },
            signal,
          });
          return replyOf(present(data));
        },
        confirm: (launchId, claim) =>
          unlessLost(undefined, async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/confirm', {
              params: { path: path(launchId) },
              body: { claim, incarnation },
              signal: timeout(),
            });
            const { request, killGraceMs } = present(data);
            return {
              killGraceMs,
              request: {
                ...request,
                requirements: request.requirements,
                pythonVersion: request.pythonVersion,
                codeDigest: request.codeDigest,
              },
            } satisfies Work;
          }),
        giveBack: (launchId, claim, reason) =>
          unlessLost<boolean | undefined>(undefined, async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/give-back', {
              params: { path: path(launchId) },
              body: { claim, reason },
              signal: timeout(),
            });
            return present(data).returned;
          }),
        progress: (launchId, { atMs, plan, ...report }) =>
          unlessLost(false, async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/progress', {
              params: { path: path(launchId) },
              body: {
                ...report,
                at: new Date(atMs).toISOString(),
                ...(plan === undefined ? {} : { plan: { ...plan } }),
              },
              signal: timeout(),
            });
            return present(data).accepted;
          }),
        appendLog: (launchId, piece) =>
          unlessLost(undefined, async () => {
            const { claim, attempt, stream, fromByte, atMs, ended, data: bytes } = piece;
            const query = {
              claim,
              attempt: String(attempt),
              stream,
              fromByte: String(fromByte),
              at: new Date(atMs).toISOString(),
              ended: ended ? ('true' as const) : ('false' as const),
            };
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/log', {
              params: { path: path(launchId), query },
              body: bytes as never,
              bodySerializer: () => bytes,
              headers: { 'Content-Type': 'application/octet-stream' },
              signal: timeout(),
            });
            return present(data).length;
          }),
        secrets: async (launchId, claim) =>
          refused(async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/secrets', {
              params: { path: path(launchId) },
              body: { claim },
              signal: timeout(),
            });
            return present(data).environment;
          }),
        namedSecrets: async (launchId, claim, names) =>
          refused(async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/named-secrets', {
              params: { path: path(launchId) },
              body: { claim, names: [...names] },
              signal: timeout(),
            });
            return present(data).values;
          }),
        masks: async (launchId, claim) =>
          refused(async () => {
            const { data } = await client.GET('/agents/{agentId}/launches/{launchId}/masks', {
              params: { path: path(launchId), query: { claim } },
              signal: timeout(),
            });
            return present(data).values;
          }),
        buildLock: (launchId, claim, key, action) =>
          refused(async () => {
            const { data } = await client.POST('/agents/{agentId}/launches/{launchId}/build-lock', {
              params: { path: path(launchId) },
              body: { claim, key, action },
              signal: timeout(),
            });
            return present(data).held;
          }),
        reportImage: (launchId, claim, image, facts) =>
          refused(async () => {
            const { inputs, ...known } = facts ?? { inputs: undefined };
            await client.POST('/agents/{agentId}/launches/{launchId}/image', {
              params: { path: path(launchId) },
              body: {
                claim,
                ...image,
                ...(inputs === undefined ? {} : { build: { inputs, facts: definedOnly(known) } }),
              },
              signal: timeout(),
            });
          }),
        fetchCode: (launchId, claim, toFile, signal) =>
          refused(async () => {
            const { data } = await client.GET('/agents/{agentId}/launches/{launchId}/code', {
              params: { path: path(launchId), query: { claim } },
              parseAs: 'stream',
              signal,
            });
            await pipeline(Readable.fromWeb(present(data) as WebStream), createWriteStream(toFile));
          }),
        fetchPatch: (launchId, claim, toFile, signal) =>
          refused(async () => {
            const { data } = await client.GET('/agents/{agentId}/launches/{launchId}/patch', {
              params: { path: path(launchId), query: { claim } },
              parseAs: 'stream',
              signal,
            });
            await pipeline(Readable.fromWeb(present(data) as WebStream), createWriteStream(toFile));
          }),
      };
    },
  };
}
const definedOnly = (facts: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(facts).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** A refusal is final; everything else (no connection, 429, 5xx) may be repeated. */
async function refused<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (
      error instanceof DavitApiError &&
      error.status > 0 &&
      error.status < 500 &&
      error.status !== 429 &&
      error.status !== 408
    ) {
      throw new AgentApiRefusal(error.code, error.message);
    }
    throw error;
  }
}

/** As `refused`, with an answer of its own for "the claim is not yours any more". */
async function unlessLost<T>(lost: T, call: () => Promise<T>): Promise<T> {
  try {
    return await refused(call);
  } catch (error) {
    if (error instanceof AgentApiRefusal && error.code === 'claim-lost') return lost;
    throw error;
  }
}

function present<T>(data: T | undefined): T {
  if (data === undefined) throw new Error('the API answered without a body');
  return data;
}

function replyOf(reply: components['schemas']['AgentClaim']): ClaimReply {
  const { outcome, left, launchId, claim } = reply;
  if (outcome !== 'granted') return { outcome, left };
  if (launchId === undefined || claim === undefined) throw new Error('the API granted a claim without naming it');
  return { outcome, left, launchId, claim };
}
