import { z } from 'zod';
import { imageUses } from '../../../domain/image-in-use.js';
import { releaseBuildLock, takeBuildLock } from '../../../store/build-locks.js';
import { recordImageInUse, recordJobImage } from '../../../store/job-images.js';
import { defineRoute } from '../route.js';
import { claimSchema, heldLaunch, launchParams, tag } from './access.js';

/** Images of jobs: who builds one, and what came of it. */

export const buildLock = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/build-lock',
  operationId: 'agentBuildLock',
  summary:
    'Take, renew or give back the right to build an image; it ends by itself when its holder falls silent or loses its claim',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({
    claim: claimSchema,
    key: z.string().min(1).max(600).describe('Name of the image.'),
    action: z.enum(['take', 'release']),
  }),
  response: z.object({ held: z.boolean().describe('False: another launch builds it, or it was given back.') }),
  handler: async ({ actor, params, body, deps }) => {
    const { claim, key, action } = body;
    const launch = await heldLaunch(deps.db, actor, params.launchId, claim);
    const holder = { entityId: launch.queue_entity_id, key, launchId: launch.id, claim };
    if (action === 'take') return { held: await takeBuildLock(deps.db, holder) };
    await releaseBuildLock(deps.db, holder);
    return { held: false };
  },
});

/** A list of packages is the largest part of it. */
const maxFactLength = 1024 * 1024;

export const image = defineRoute({
  method: 'post',
  path: '/agents/{agentId}/launches/{launchId}/image',
  operationId: 'agentImage',
  summary: 'What the launch runs, and what is known of the image',
  tag,
  auth: 'agent',
  params: launchParams,
  body: z.strictObject({
    claim: claimSchema,
    image: z.string().min(1).max(600).describe('By digest where a registry has it.'),
    name: z.string().min(1).max(600),
    use: z
      .enum(imageUses)
      .describe('image: it is the job. base: code is brought to it. built: it was made of the code.'),
    build: z
      .strictObject({
        inputs: z.string().min(1).max(128).describe('Digest over all inputs of the build.'),
        facts: z.record(z.string().max(64), z.string().max(maxFactLength)),
      })
      .optional(),
  }),
  response: z.object({}),
  handler: async ({ actor, params, body, deps }) => {
    const { claim, build, ...inUse } = body;
    const launch = await heldLaunch(deps.db, actor, params.launchId, claim);
    await recordImageInUse(deps.db, launch.id, inUse);
    if (build && launch.job_artifact_id !== null)
      await recordJobImage(deps.db, launch.job_artifact_id, { ...inUse, ...build });
    return {};
  },
});
