import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { jobNameSchema } from '../../domain/ids.js';
import { artifactByAlias, collectionByName } from '../../store/artifacts.js';
import { imagesOfJob } from '../../store/job-images.js';
import { projectParams, requireProject } from './projects.js';
import { defineRoute } from './route.js';
import { timeOf, timeSchema } from './schemas.js';

const imageSchema = z
  .object({
    image: z.string().describe('By digest where a registry has it; else the id of the Engine that built it.'),
    name: z.string(),
    inputs: z.string().describe('Digest over all inputs of the build.'),
    facts: z
      .record(z.string(), z.unknown())
      .describe(
        'What is known of it: builder, baseImage and baseDigest, platform, requirementsLock (as pip freeze writes it).',
      ),
    builtAt: timeSchema,
  })
  .meta({ id: 'JobImage' });

const list = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/images',
  operationId: 'listJobImages',
  summary: 'Images that were built of a version of a job, the newest first',
  tag: 'jobs',
  auth: 'any',
  params: z.strictObject({ ...projectParams.shape, job: jobNameSchema, version: z.string().max(128) }),
  response: z.object({ images: z.array(imageSchema) }),
  handler: async ({ actor, params, deps }) => {
    const project = await requireProject(deps.db, actor, params, 'viewer');
    const collection = await collectionByName(deps.db, project.id, 'job', params.job);
    const version = collection && (await artifactByAlias(deps.db, collection.id, params.version));
    if (!version)
      throw new DavitError('unknown-job', `There is no version "${params.version}" of the job "${params.job}" here.`);
    const images = await imagesOfJob(deps.db, version.id);
    return { images: images.map(({ builtAt, ...image }) => ({ ...image, builtAt: timeOf(builtAt) })) };
  },
});

export const jobImageRoutes = [list];
