import { z } from 'zod';
import { secretNameSchema } from '../../../domain/secrets.js';
import { requireKeyring } from '../../../store/keyring.js';
import { issueKey } from '../../../store/keys.js';
import { giveSecrets, secretsGiven } from '../../../store/launch-secrets.js';
import type { ApiDeps } from '../../deps.js';
import { defineRoute } from '../route.js';
import { claimSchema, heldLaunch, launchParams, requireHeld, tag } from './access.js';

/** Secrets on their way to a job: to the agent that holds its launch, when it needs them, and to no other place. */

/** A key outlives any sensible job and is revoked when the launch ends. */
const runKeyTtlMs = 90 * 24 * 3600_000;

export const secrets = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/secrets',
  operationId: 'agentSecrets',
  summary:
    'Secret variables for the job: the named secrets it asked for, and a key that reaches its own run and project only',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({ claim: claimSchema }),
  response: z.object({ environment: z.record(z.string(), z.string()) }),
  handler: async ({ actor, params, body, deps }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, body.claim);
    const variables = Object.entries(launch.request.secrets ?? {});
    const names = [...new Set(variables.map(([, name]) => name))];
    const values = names.length === 0 ? {} : await give(deps, params.agentId, launch, names);
    const project = await deps.db
      .selectFrom('project')
      .select('entity_id')
      .where('id', '=', launch.project_id)
      .executeTakeFirstOrThrow();
    const author = await deps.db
      .selectFrom('user_account')
      .select('id')
      .where('username', '=', launch.author)
      .executeTakeFirst();
    const { key } = await issueKey(deps.db, {
      kind: 'run',
      entityId: project.entity_id,
      launchId: launch.id,
      description: `launch ${launch.id}`,
      expiresAt: new Date(Date.now() + runKeyTtlMs),
      ...(author ? { userId: author.id } : {}),
    });
    const named = Object.fromEntries(variables.map(([variable, name]) => [variable, values[name] ?? '']));
    return { environment: { ...named, WANDB_API_KEY: key } };
  },
});

export const namedSecrets = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/named-secrets',
  operationId: 'agentNamedSecrets',
  summary: "Secrets that the launch's queue allows, for preparing its job",
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({ claim: claimSchema, names: z.array(secretNameSchema).min(1).max(50) }),
  response: z.object({ values: z.record(z.string(), z.string()) }),
  handler: async ({ actor, params, body, deps }) => {
    const launch = await heldLaunch(deps.db, actor, params.launchId, body.claim);
    return { values: await give(deps, params.agentId, launch, [...new Set(body.names)]) };
  },
});

export const masks = defineRoute({
  method: 'get',
  path: '/agents/{agentId}/launches/{launchId}/masks',
  operationId: 'agentMasks',
  summary: 'What the log of a launch must not show, for whoever found its job at its place',
  tag,
  auth: 'agent',
  params: launchParams,
  query: z.strictObject({ claim: claimSchema }),
  response: z.object({ values: z.array(z.string()) }),
  handler: async ({ actor, params, query, deps }) => {
    await requireHeld(deps.db, actor, params.launchId, query.claim);
    const values = await secretsGiven(deps.db, deps.keyring, params.launchId);
    // Any agent of the place may follow the job; what it was given is for those alone that serve its queue.
    if (values.length > 0) await heldLaunch(deps.db, actor, params.launchId, query.claim);
    return { values };
  },
});

type HeldLaunch = Awaited<ReturnType<typeof heldLaunch>>;
const give = (deps: ApiDeps, agent: string, launch: HeldLaunch, names: readonly string[]) =>
  giveSecrets(deps.db, requireKeyring(deps.keyring), { launch, agent }, names);
