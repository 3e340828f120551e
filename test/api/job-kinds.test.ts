import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLaunchable, startTestApi, tarGzOf, trainFiles, type TestApi } from './support/api.js';
import { waitingSteps } from './support/waiting.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const { queue, ok } = waitingSteps(() => api);
const jobs = '/entities/lab/projects/demo/jobs';
const image = (job: string, body: Record<string, unknown>) =>
  api.call('POST', `${jobs}/${job}/versions/image`, { body });
const upload = (job: string, files = trainFiles, query = '') =>
  api.call('POST', `${jobs}/${job}/versions?entryPoint=python+train.py${query}`, {
    raw: tarGzOf(files),
    headers: { 'Content-Type': 'application/gzip' },
  });
const enqueue = (body: Record<string, unknown>, query = '') =>
  api.call('POST', `/launches${query}`, { body: { queue: 'lab/q', ...body } });
const launch = async (id: string) => (await ok('GET', `/launches/${id}`)).body;

describe('an image job', () => {
  test('has its tag as a name, and needs a target that runs images', async () => {
    const made = await image('packed', { image: 'registry.example.test/team/train:1.2', args: ['--data', '/d'] });
    expect(made.body, made.text).toMatchObject({ version: 'v0', created: true });
    const { body } = await ok('GET', `${jobs}/packed`);
    expect(body.versions[0]).toMatchObject({
      kind: 'image',
      aliases: ['1.2', 'latest'],
      source: { image: 'registry.example.test/team/train:1.2' },
      partial: true,
    });
    // The one target here runs processes.
    const dry = await enqueue({ job: 'lab/demo/packed:1.2' }, '?dryRun=true');
    expect(dry.body).toMatchObject({ plan: null, planProblems: [{ code: 'unsupported-job-kind' }] });
  });

  test('may be no job at all: an image alone is launched into a project', async () => {
    const accepted = await enqueue({ image: 'python:3.11', project: 'demo', overrides: { args: ['-c', 'pass'] } });
    expect(accepted.status, accepted.text).toBe(201);
    const shown = await launch(accepted.body.id);
    expect(shown).toMatchObject({ job: 'python:3.11', jobVersion: null, resolved: { image: 'python:3.11' } });
    const again = await api.call('POST', `/launches/${accepted.body.id}/relaunch`, { body: {} });
    expect((await launch(again.body.id)).resolved.image).toBe('python:3.11');
    const other = await api.call('POST', `/launches/${accepted.body.id}/relaunch`, { body: { job: 'lab/demo/train' } });
    expect(await launch(other.body.id)).toMatchObject({ job: 'lab/demo/train', jobVersion: 'train:v0' });
    for (const body of [{ image: 'python:3.11' }, { image: 'x y', project: 'demo' }, { image: 'x', job: 'y' }, {}])
      expect((await enqueue(body)).status, JSON.stringify(body)).toBe(400);
  });
});

const schema = {
  type: 'object',
  properties: { lr: { type: 'number', minimum: 0 }, epochs: { type: 'integer', default: 3 } },
  required: ['lr', 'epochs'],
  additionalProperties: false,
};

describe('inputs of a job', () => {
  beforeAll(async () => {
    await upload('strict');
    await ok('PUT', `${jobs}/strict/versions/latest/inputs`, { body: { config: schema } });
  });
  const strict = (config: unknown, more: Record<string, unknown> = {}, query = '') =>
    enqueue({ job: 'lab/demo/strict', overrides: { config }, ...more }, query);

  test('that do not fit are refused at enqueue and in a dry run, field by field', async () => {
    for (const query of ['', '?dryRun=true']) {
      const { status, body } = await strict({ lr: -1, epoch: 3 }, {}, query);
      expect([status, body.code]).toEqual([400, 'invalid-inputs']);
      expect(body.errors).toEqual([
        { path: 'overrides.config.lr', message: 'must be at least 0' },
        { path: 'overrides.config.epoch', message: 'is not known here; known are lr, epochs' },
      ]);
    }
    expect((await enqueue({ job: 'lab/demo/strict' })).body.errors).toEqual([
      { path: 'overrides.config.lr', message: 'is needed' },
    ]);
    expect((await strict({ lr: 0.1 })).status).toBe(201);
  });

  test('that do not fit are only warned of where the queue says so', async () => {
    const lax = await queue({ inputs: 'warn' });
    const { status, body } = await strict({ lr: 'fast' }, { queue: `lab/${lax}` });
    expect([status, body.warnings]).toEqual([201, ['overrides.config.lr must be a number.']]);
    expect((await launch(body.id)).resolved.warnings).toEqual(body.warnings);
    expect((await strict({ lr: 0.1 }, { queue: `lab/${lax}` })).body.warnings).toEqual([]);
  });

  test('are shown with the job, may be taken back, and a schema that is wrong is refused where it is', async () => {
    const shown = async () => (await ok('GET', `${jobs}/own-inputs`)).body.versions[0];
    await image('own-inputs', { image: 'x', inputs: { config: schema } });
    expect(await shown()).toMatchObject({ inputs: { config: schema, files: {} }, partial: false });
    await ok('PUT', `${jobs}/own-inputs/versions/v0/inputs`, { body: {} });
    expect((await shown()).inputs).toBeNull();
    const odd = await api.call('PUT', `${jobs}/own-inputs/versions/v0/inputs`, {
      body: { config: { properties: { a: { type: 'decimal' }, b: { pattern: 'x' } } } },
    });
    expect([odd.status, odd.body.errors[0].path]).toEqual([400, 'config.properties.a.type']);
    const vague = await ok('PUT', `${jobs}/own-inputs/versions/v0/inputs`, {
      body: { config: { properties: { b: { type: 'string', pattern: 'x' } } } },
    });
    expect(vague.body.warnings[0]).toContain('properties.b.pattern');
  });

  test('reach files of the program, and are checked there', async () => {
    await upload('filed');
    await ok('PUT', `${jobs}/filed/versions/v0/inputs`, {
      body: { files: { 'conf/a.yaml': { properties: { depth: { type: 'integer' } }, required: ['width'] } } },
    });
    const laid = (values: unknown, query = '') =>
      enqueue({ job: 'lab/demo/filed', overrides: { files: { 'conf/a.yaml': values } } }, query);
    expect((await laid({ depth: 'deep' })).body.errors).toEqual([
      { path: 'overrides.files.conf/a.yaml.depth', message: 'must be a whole number' },
    ]);
    const { body } = await laid({ depth: 3 }, '?dryRun=true');
    expect(JSON.parse(body.plan.environment.WANDB_LAUNCH_FILE_OVERRIDES)).toEqual({ 'conf/a.yaml': { depth: 3 } });
    const out = await enqueue({ job: 'lab/demo/filed', overrides: { files: { '../etc': {} } } });
    expect(out.status).toBe(400);
  });
});

describe('template variables of a queue', () => {
  const config = { nice: '{{nice}}', env: { TIER: 'tier-{{tier}}', RUN: '${run_id}-${HOME}' } };
  const templateVariables = {
    nice: { schema: { type: 'integer', minimum: 0, maximum: 10, default: 5 } },
    tier: { schema: { type: 'string', enum: ['small', 'large'] }, description: 'how much of it' },
  };
  const made = async () => `lab/${await queue({ resourceConfig: config, templateVariables })}`;
  const dry = async (body: Record<string, unknown>) => enqueue({ job: 'lab/demo/train', ...body }, '?dryRun=true');

  test('are filled in with their types, and macros of the launch after them', async () => {
    const { body } = await dry({ queue: await made(), runId: 'mine', templateVariables: { tier: 'small', nice: '7' } });
    expect(body.plan.spec).toMatchObject({ nice: 7, environment: { TIER: 'tier-small', RUN: 'mine-${HOME}' } });
    expect(body.resolved.resourceConfig.env.RUN).toBe('${run_id}-${HOME}');
  });

  test('must be given within their limits, by name', async () => {
    const name = await made();
    for (const values of [undefined, { tier: 'huge' }, { tier: 'small', nice: 11 }, { tier: 'small', size: 1 }]) {
      const answer = await enqueue({ job: 'lab/demo/train', queue: name, templateVariables: values });
      expect([answer.status, answer.body.code], JSON.stringify(values)).toEqual([400, 'invalid-template-values']);
      expect(answer.body.errors).toHaveLength(1);
    }
  });

  test('win over parameters of the launch, which is told', async () => {
    const { body } = await dry({
      queue: await made(),
      templateVariables: { tier: 'small' },
      overrides: { resourceConfig: { nice: 19 } },
    });
    expect([body.plan.spec.nice, body.warnings.length]).toEqual([5, 1]);
  });

  test('are asked anew where a launch is transferred to', async () => {
    const [from, to] = [await queue(), await queue({ resourceConfig: config, templateVariables })];
    const id = (await enqueue({ job: 'lab/demo/train', queue: `lab/${from}` })).body.id as string;
    const refused = await api.call('POST', `/launches/${id}/transfer`, { body: { queue: `lab/${to}` } });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid-template-values']);
    expect((await launch(id)).queue.name).toBe(from);
  });

  test('that contradict themselves are refused where they do', async () => {
    const answer = await api.call('POST', '/queues', {
      body: {
        entity: 'lab',
        name: 'odd',
        target: 'process',
        templateVariables: { x: { schema: { type: 'integer', default: 'a' } } },
      },
    });
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, 'templateVariables.x.schema.default']);
  });
});

describe('versions', () => {
  test('are compared: what is said of them, requirements, files', async () => {
    await upload('compared');
    const changed = [
      { path: 'train.py', data: 'import wandb\nwandb.init(config={})\n' },
      { path: 'more.py', data: '' },
      { path: 'requirements.txt', data: 'wandb\nnumpy\n' },
    ];
    await upload('compared', changed, '&pythonVersion=3.12&baseImage=python:3.12');
    const { body } = await ok('GET', `${jobs}/compared/diff?from=v0&to=latest`);
    expect(body).toEqual({
      from: 'v0',
      to: 'v1',
      fields: expect.arrayContaining([
        { field: 'source.base_image', from: null, to: 'python:3.12' },
        { field: 'runtime', from: null, to: '3.12' },
      ]),
      requirements: { added: ['numpy'], removed: [] },
      files: [
        { path: 'more.py', change: 'added' },
        { path: 'requirements.txt', change: 'changed' },
        { path: 'train.py', change: 'changed' },
      ],
      filesChanged: 3,
    });
    expect((await ok('GET', `${jobs}/compared/diff?from=v1&to=v1`)).body).toMatchObject({
      fields: [],
      filesChanged: 0,
    });
    expect((await api.call('GET', `${jobs}/compared/diff?from=v0&to=v9`)).body.code).toBe('unknown-job');
  });

  test('get other names, which move, go, and are never those of versions', async () => {
    await upload('named');
    await upload('named', [...trainFiles, { path: 'x', data: '1' }]);
    const names = async () =>
      (await ok('GET', `${jobs}/named`)).body.versions.map(({ aliases }: { aliases: string[] }) => aliases.join());
    await ok('PUT', `${jobs}/named/aliases/best`, { body: { version: 'v0' } });
    expect(await names()).toEqual(['latest', 'best']);
    await ok('PUT', `${jobs}/named/aliases/best`, { body: { version: 'latest' } });
    expect(await names()).toEqual(['best,latest', '']);
    await ok('DELETE', `${jobs}/named/aliases/best`);
    expect(await names()).toEqual(['latest', '']);
    for (const alias of ['latest', 'v7', 'a%2Fb'])
      expect((await api.call('PUT', `${jobs}/named/aliases/${alias}`, { body: { version: 'v0' } })).status).toBe(404);
    const viewer = { key: api.keys.vic, body: { version: 'v0' } };
    expect((await api.call('PUT', `${jobs}/named/aliases/mine`, viewer)).status).toBe(403);
    expect((await api.call('PUT', `${jobs}/named/aliases/mine`, { ...viewer, key: api.keys.bob })).status).toBe(404);
  });

  test('are deleted unless launches need them or people know them by name', async () => {
    await upload('doomed');
    await upload('doomed', [...trainFiles, { path: 'x', data: '1' }]);
    const remove = (query: string) => api.call('DELETE', `${jobs}/doomed${query}`);
    const id = (await enqueue({ job: 'lab/demo/doomed:v0' })).body.id as string;
    const used = await remove('?version=v0');
    expect([used.status, used.body.code]).toEqual([409, 'job-in-use']);
    expect(used.body.detail).toContain(id);
    expect((await remove('')).body.code).toBe('job-in-use');
    expect((await ok('GET', `${jobs}/doomed/uses`)).body).toMatchObject({ open: 1, launches: [id], ended: 0 });
    await ok('POST', `/launches/${id}/cancel`);

    await ok('PUT', `${jobs}/doomed/aliases/good`, { body: { version: 'v0' } });
    expect((await remove('?version=v0')).body.code).toBe('conflict');
    const gone = await remove('?version=v0&aliases=true');
    expect([gone.status, gone.body.ended]).toEqual([200, 1]);
    const left = (await ok('GET', `${jobs}/doomed`)).body.versions;
    expect(left.map(({ version }: { version: string }) => version)).toEqual(['v1']);
    // What it was is still known of whoever ran it.
    expect(await launch(id)).toMatchObject({ jobVersion: 'doomed:v0' });
    expect((await api.call('POST', `/launches/${id}/relaunch`, { body: {} })).body.code).toBe('unknown-job');
    expect((await remove('')).status).toBe(200);
    expect((await api.call('GET', `${jobs}/doomed`)).body.code).toBe('unknown-job');
    expect((await upload('doomed')).body).toMatchObject({ version: 'v0', message: 'Created' });
  });
});
