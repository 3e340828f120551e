import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { addAliases, removeAliases } from '../../store/artifact-edit.js';
import { audit } from '../../store/audit.js';
import { setInputs } from '../../store/job-create.js';
import { deleteJob, usesOf } from '../../store/job-delete.js';
import {
  aliasSchema,
  checkedInputs,
  inputsSchema,
  jobParams,
  requireJob,
  requireVersion,
  versionName,
} from './job-schemas.js';
import { defineRoute } from './route.js';

/** What changes about jobs that are there: the names of their versions, what they ask of inputs, their end. */

const aliasParams = jobParams.extend({
  alias: aliasSchema.refine((alias) => alias !== 'latest', "is the newest version, and nobody's to give"),
});
const subjectOf = (params: z.infer<typeof jobParams>) => `job/${params.entity}/${params.project}/${params.job}`;

const putAlias = defineRoute({
  method: 'put',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/aliases/{alias}',
  operationId: 'setJobAlias',
  summary: 'Give a version another name, or move that name to it',
  tag: 'jobs',
  auth: 'user',
  params: aliasParams,
  body: z.strictObject({ version: versionName }).meta({ id: 'JobAlias' }),
  handler: async ({ actor, params, body, deps }) => {
    const { alias } = params;
    const { collectionId, artifactId } = await requireVersion(deps, actor, params, body.version, 'member');
    await deps.db.transaction().execute(async (tx) => {
      await addAliases(tx, artifactId, [{ collectionId, aliases: [alias] }]);
      await audit(tx, {
        actor: actor.name,
        action: 'job.alias',
        subject: subjectOf(params),
        data: { alias, version: body.version },
      });
    });
  },
});

const deleteAlias = defineRoute({
  method: 'delete',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/aliases/{alias}',
  operationId: 'deleteJobAlias',
  summary: 'Take a name away from a version',
  tag: 'jobs',
  auth: 'user',
  params: aliasParams,
  handler: async ({ actor, params, deps }) => {
    const { alias } = params;
    const { collectionId, artifactId } = await requireVersion(deps, actor, params, alias, 'member');
    await deps.db.transaction().execute(async (tx) => {
      await removeAliases(tx, artifactId, [{ collectionId, aliases: [alias] }]);
      await audit(tx, { actor: actor.name, action: 'job.unalias', subject: subjectOf(params), data: { alias } });
    });
  },
});

const putInputs = defineRoute({
  method: 'put',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/versions/{version}/inputs',
  operationId: 'setJobInputs',
  summary: 'Say what the inputs of a version must be',
  description: 'JSON Schema. An empty object takes back what was said. It counts for launches from now on.',
  tag: 'jobs',
  auth: 'user',
  params: jobParams.extend({ version: versionName }),
  body: inputsSchema,
  response: z
    .object({ warnings: z.array(z.string()).describe('Parts that will not be enforced.') })
    .meta({ id: 'JobInputsAnswer' }),
  handler: async ({ actor, params, body, deps }) => {
    const { artifactId } = await requireVersion(deps, actor, params, params.version, 'member');
    const { inputs, warnings } = checkedInputs(body);
    await deps.db.transaction().execute(async (tx) => {
      await setInputs(tx, artifactId, inputs);
      await audit(tx, { actor: actor.name, action: 'job.inputs', subject: `${subjectOf(params)}:${params.version}` });
    });
    return { warnings };
  },
});

const versionQuery = z.strictObject({ version: versionName.optional().describe('Default: the whole job.') });

const usesSchema = z
  .object({
    open: z.int().describe('Launches that wait or run.'),
    launches: z.array(z.string()).describe('Some of them, at most 20.'),
    ended: z.int().describe('Launches that have ended. Without the job they cannot be relaunched.'),
    runs: z.int().describe('Runs that say they used it.'),
    aliases: z.array(z.string()).describe('Names besides `latest` that go with it.'),
  })
  .meta({ id: 'JobUses' });

const uses = defineRoute({
  method: 'get',
  path: '/entities/{entity}/projects/{project}/jobs/{job}/uses',
  operationId: 'getJobUses',
  summary: 'Who uses a job, or one of its versions',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  query: versionQuery,
  response: usesSchema,
  handler: async ({ actor, params, query, deps }) => {
    const collection = await requireJob(deps, actor, params);
    const { version } = query;
    const artifactId =
      version === undefined ? undefined : (await requireVersion(deps, actor, params, version)).artifactId;
    return usesOf(deps.db, collection.id, artifactId);
  },
});

const remove = defineRoute({
  method: 'delete',
  path: '/entities/{entity}/projects/{project}/jobs/{job}',
  operationId: 'deleteJob',
  summary: 'Delete a job, or one of its versions',
  description:
    'For good. Refused while launches that wait or run use it (`job-in-use`), and while a version has names besides `latest` (`conflict`, unless `aliases=true`).',
  tag: 'jobs',
  auth: 'user',
  params: jobParams,
  query: versionQuery.extend({
    aliases: z.enum(['true', 'false']).optional().describe('true: the names of the version go with it.'),
  }),
  response: usesSchema,
  handler: async ({ actor, params, query, deps }) => {
    const collection = await requireJob(deps, actor, params, 'member');
    const { version } = query;
    const artifactId =
      version === undefined ? undefined : (await requireVersion(deps, actor, params, version, 'member')).artifactId;
    return deps.db.transaction().execute(async (tx) => {
      const used = await deleteJob(tx, { collection, artifactId, withAliases: query.aliases === 'true' });
      if (used === undefined) throw new DavitError('unknown-job', 'It was deleted meanwhile.');
      const subject = version === undefined ? subjectOf(params) : `${subjectOf(params)}:${version}`;
      await audit(tx, { actor: actor.name, action: 'job.delete', subject, data: { ...used } });
      return used;
    });
  },
});

export const jobChangeRoutes = [putAlias, deleteAlias, putInputs, uses, remove];
