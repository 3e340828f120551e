import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restRoutes } from '../../api/rest/index.js';
import type { Route } from '../../api/rest/route.js';
import { createUser } from '../../store/entities.js';
import { issueKey, newKeyText, revokeLaunchKeys } from '../../store/keys.js';
import { projectByName } from '../../store/projects.js';
import { makeLaunchable, startTestApi, tarGzOf, trainFiles, type TestApi } from './support/api.js';

/** Every route there is, asked by everybody who may not: a route that is added is asked too, without a line here. */

let api: TestApi;
let runKey: string;
const values: Record<string, string> = {
  entity: 'lab',
  project: 'demo',
  queue: 'q',
  job: 'train',
  collection: 'train',
  version: 'latest',
  alias: 'good',
  agent: 'worker',
  agentId: 'agent-1',
  run: 'run00001',
  sweep: 'sweep001',
  username: 'mem',
  secret: 'token',
};

beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
  const launch = await api.call('POST', '/launches', { body: { queue: 'lab/q', job: 'demo/train' } });
  expect(launch.status, launch.text).toBe(201);
  const bulk = await api.call('POST', '/bulk', { body: { action: 'release', filter: { queue: 'lab/q' } } });
  expect(bulk.status, bulk.text).toBe(202);
  pathsOf['getBulk'] = pathsOf['cancelBulk'] = { id: bulk.body.id };
  const secret = await api.call('PUT', '/entities/lab/secrets/token', { body: { value: 'not a secret' } });
  expect(secret.status, secret.text).toBe(201);
  values['launchId'] = launch.body.id;
  values['id'] = launch.body.id;
  const project = await projectByName(api.db, api.ids.lab, 'demo');
  await api.db
    .insertInto('run')
    .values({ project_id: project?.id ?? 0, name: 'run00001', display_name: 'one' })
    .execute();
  await api.db
    .insertInto('sweep')
    .values({ project_id: project?.id ?? 0, name: 'sweep001', config: 'method: random' })
    .execute();
  await api.db
    .insertInto('agent')
    .values({ id: 'agent-1', entity_id: api.ids.lab, name: 'worker', incarnation: 'x', max_jobs: 1 })
    .execute();
  ({ key: runKey } = await issueKey(api.db, {
    kind: 'run',
    userId: api.ids.ada,
    entityId: api.ids.lab,
    launchId: launch.body.id,
  }));
});
afterAll(() => api.close());

/** Bodies and queries that fit their schemas, so that nothing but the key can be what is wrong. */
const bodies: Record<string, unknown> = {
  createUser: { username: 'eve' },
  createTeam: { name: 'evil' },
  putMember: { role: 'admin' },
  createKey: { kind: 'agent', entity: 'lab' },
  createProject: { name: 'p2' },
  createQueue: { entity: 'lab', name: 'q2' },
  updateQueue: { description: 'x' },
  enqueueLaunch: { queue: 'lab/q', job: 'lab/demo/train' },
  enqueueLaunches: { launches: [{ queue: 'lab/q', job: 'lab/demo/train' }] },
  relaunchLaunch: {},
  // A whole commit: nobody is asked for it.
  createGitJobVersion: { remote: 'https://git.example.test/x.git', ref: 'a'.repeat(40), entryPoint: 'true' },
  createImageJobVersion: { image: 'x:1' },
  setJobAlias: { version: 'v0' },
  pauseQueue: {},
  drainQueue: {},
  holdLaunch: {},
  moveLaunch: { to: 'front' },
  prioritiseLaunch: { priority: 'low' },
  transferLaunch: { queue: 'lab/q' },
  startBulk: { action: 'hold', filter: { queue: 'lab/q' }, dryRun: true },
  agentHello: {
    entity: 'lab',
    name: 'worker',
    incarnation: 'abcdefgh',
    host: 'h',
    pid: 1,
    version: '1',
    maxJobs: 1,
    targets: {},
    queues: ['q'],
  },
  agentHeartbeat: { incarnation: 'abcdefgh', status: 'active', queues: [] },
  agentClaim: { incarnation: 'abcdefgh', queueId: 1, ticket: 't', ticketAttempt: 1 },
  agentConfirm: { claim: randomUUID(), incarnation: 'abcdefgh' },
  agentGiveBack: { claim: randomUUID(), reason: 'x' },
  agentProgress: { claim: randomUUID(), n: 1, at: new Date().toISOString() },
  agentSecrets: { claim: randomUUID() },
  agentNamedSecrets: { claim: randomUUID(), names: ['token'] },
  agentBuildLock: { claim: randomUUID(), key: 'x:1', action: 'take' },
  agentImage: { claim: randomUUID(), image: 'x:1', name: 'x:1', use: 'image' },
  putSecret: { value: 'not a secret either' },
};
const queries: Record<string, string> = {
  createJobVersion: '?entryPoint=python+train.py',
  agentLog: `?claim=${randomUUID()}&attempt=1&stream=stdout&fromByte=0&at=${new Date().toISOString()}&ended=false`,
  agentCode: `?claim=${randomUUID()}`,
  listAudit: '?subject=queue/lab/q',
  agentTrace: `?claim=${randomUUID()}`,
  agentMasks: `?claim=${randomUUID()}`,
  agentPatch: `?claim=${randomUUID()}`,
  diffJobVersions: '?from=v0&to=v0',
};

/** Where the usual values would name another kind of thing, or take away what others still need. */
const pathsOf: Record<string, Record<string, string>> = {
  revokeKey: { id: randomUUID() },
  deleteQueue: { queue: 'q2' },
  createGitJobVersion: { job: 'committed' },
  createImageJobVersion: { job: 'doomed' },
  deleteJob: { job: 'doomed' },
};

async function ask(route: Route, key: string | null) {
  const pathValues = { ...values, ...pathsOf[route.operationId] };
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = pathValues[name];
    if (value === undefined) throw new Error(`no value for {${name}} of ${route.path}: add one`);
    return value;
  });
  return api.call(route.method.toUpperCase(), path + (queries[route.operationId] ?? ''), {
    key,
    ...(route.body ? { body: bodies[route.operationId] ?? {} } : {}),
    ...(route.rawBody ? { raw: tarGzOf(trainFiles), headers: { 'Content-Type': route.rawBody.contentType } } : {}),
  });
}
const named = restRoutes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const);
const counts = async () => {
  const tables = [
    'queue',
    'project',
    'launch',
    'artifact',
    'member',
    'entity',
    'user_account',
    'launch_log',
    'agent',
    'secret',
  ] as const;
  const pairs = tables.map(async (table) => {
    const row = await api.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    return [table, row.n] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
};

describe('without a valid key nothing is answered', () => {
  test.each(named)('%s', async (_name, route) => {
    for (const key of [null, newKeyText('user'), newKeyText('agent'), 'nonsense', `${api.keys.ada}x`]) {
      const answer = await ask(route, key);
      expect([answer.status, answer.body.code], answer.text).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  });
});

/** Routes that name nothing in particular: a stranger gets an answer, about nothing that is not his. */
const open = [
  'getOpenApi',
  'getViewer',
  'listEntities',
  'createTeam',
  'listKeys',
  'listQueues',
  'listLines',
  'listLaunches',
  'listBulks',
  'listAgents',
  'listRuns',
];

const ofSiteAdmins = ['createUser', 'listUnanswered', 'listSecretKeys', 'resealSecrets'];

describe('a stranger learns nothing and changes nothing', () => {
  test.each(named.filter(([, route]) => !open.includes(route.operationId)))('%s', async (_name, route) => {
    const before = await counts();
    const answer = await ask(route, api.keys.bob);
    if (route.operationId === 'enqueueLaunches') {
      expect(answer.body.results[0].error).toMatchObject({ status: 404, code: 'unknown-queue' });
    } else if (route.auth === 'agent' || ofSiteAdmins.includes(route.operationId)) {
      expect([answer.status, answer.body.code], answer.text).toEqual([403, 'forbidden']);
    } else {
      expect(answer.status, answer.text).toBe(404);
      expect(['not-found', 'unknown-queue', 'unknown-job']).toContain(answer.body.code);
    }
    expect(await counts()).toEqual(before);
  });

  test.each(named.filter(([, route]) => open.includes(route.operationId) && route.method === 'get'))(
    '%s shows nothing of others',
    async (_name, route) => {
      const answer = await ask(route, api.keys.bob);
      expect(answer.status).toBe(200);
      if (route.operationId !== 'getOpenApi') expect(answer.text).not.toMatch(/"lab|"ada|"mem"|"train"/);
    },
  );

  test('an entity that exists and one that does not answer alike', async () => {
    const strip = (text: string) => text.replaceAll(/"(requestId|instance)":"[^"]*"/g, '').replaceAll(/lab|nil/g, '*');
    for (const path of [
      '/entities/@',
      '/queues/@/q',
      '/agents/@/worker',
      '/runs/@/demo/r',
      '/entities/@/projects/demo/jobs/train',
    ]) {
      const real = await api.call('GET', path.replace('@', 'lab'), { key: api.keys.bob });
      const none = await api.call('GET', path.replace('@', 'nil'), { key: api.keys.bob });
      expect(strip(real.text)).toBe(strip(none.text));
    }
  });
});

describe('a key is good for its own kind of work only', () => {
  test.each(named.filter(([, route]) => route.auth !== 'any'))('%s', async (_name, route) => {
    const wrong = route.auth === 'agent' ? [api.keys.ada, api.keys.root, runKey] : [api.keys.labAgent, runKey];
    const before = await counts();
    for (const key of wrong) {
      const answer = await ask(route, key);
      expect([answer.status, answer.body.code], answer.text).toEqual([403, 'forbidden']);
    }
    expect(await counts()).toEqual(before);
  });

  test('the key of a job knows its launch, and ends with it', async () => {
    const viewer = await api.call('GET', '/viewer', { key: runKey });
    expect(viewer.body).toMatchObject({ kind: 'run', launchId: values['launchId'], isAdmin: false, entity: 'lab' });
    const { key } = await issueKey(api.db, {
      kind: 'run',
      userId: api.ids.ada,
      entityId: api.ids.lab,
      launchId: 'gone',
    });
    await revokeLaunchKeys(api.db, 'gone');
    expect((await api.call('GET', '/viewer', { key })).status).toBe(401);
  });
});

describe('an agent of one entity does nothing in another', () => {
  test.each(named.filter(([, route]) => route.auth === 'agent'))('%s', async (_name, route) => {
    const foreign = await api.call('POST', '/keys', { key: api.keys.bob, body: { kind: 'agent', entity: 'bob' } });
    expect(foreign.status).toBe(201);
    const before = await counts();
    const answer = await ask(
      route.rawBody ? { ...route, rawBody: { contentType: 'application/octet-stream', description: '' } } : route,
      foreign.body.key as string,
    );
    expect(['not-found', 'claim-lost'], answer.text).toContain(answer.body.code);
    expect(await counts()).toEqual(before);
  });
});

/** What a viewer and a member of the team may not do. */
const needs: Record<string, 'member' | 'admin'> = {
  putMember: 'admin',
  removeMember: 'admin',
  createKey: 'admin',
  createQueue: 'admin',
  updateQueue: 'admin',
  pauseQueue: 'admin',
  resumeQueue: 'admin',
  drainQueue: 'admin',
  undrainQueue: 'admin',
  deleteQueue: 'admin',
  holdLaunch: 'member',
  releaseLaunch: 'member',
  moveLaunch: 'member',
  prioritiseLaunch: 'member',
  transferLaunch: 'member',
  startBulk: 'member',
  cancelBulk: 'member',
  drainAgent: 'admin',
  stopAgent: 'admin',
  activateAgent: 'admin',
  releaseAgent: 'admin',
  deleteAgent: 'admin',
  putSecret: 'admin',
  deleteSecret: 'admin',
  createProject: 'member',
  createJobVersion: 'member',
  createGitJobVersion: 'member',
  createImageJobVersion: 'member',
  setJobAlias: 'member',
  deleteJobAlias: 'member',
  setJobInputs: 'member',
  deleteJob: 'member',
  enqueueLaunch: 'member',
  cancelLaunch: 'member',
  relaunchLaunch: 'member',
  pauseSweep: 'member',
  resumeSweep: 'member',
  stopSweep: 'member',
  cancelSweep: 'member',
};
describe('roles of a team', () => {
  test.each(
    named.filter(([, route]) => route.auth === 'user' && /\{(entity|id)\}/.test(route.path) && route.method === 'get'),
  )('a viewer may read: %s', async (_name, route) => {
    // Streams do not end while the launch waits.
    if (route.streams?.includes('text/event-stream')) return;
    const answer = await ask(route, api.keys.vic);
    expect(answer.status, answer.text).toBe(200);
  });
  test.each(named.filter(([, route]) => needs[route.operationId] !== undefined))('%s', async (_name, route) => {
    const before = await counts();
    const refused = needs[route.operationId] === 'admin' ? [api.keys.vic, api.keys.mem] : [api.keys.vic];
    for (const key of refused) {
      const answer = await ask(route, key);
      expect([answer.status, answer.body.code], answer.text).toEqual([403, 'forbidden']);
    }
    expect(await counts()).toEqual(before);
    // An agent that lives is not forgotten.
    if (route.operationId === 'deleteAgent') await api.db.updateTable('agent').set({ status: 'stopped' }).execute();
    const allowed = await ask(route, needs[route.operationId] === 'admin' ? api.keys.ada : api.keys.mem);
    expect(allowed.status, allowed.text).toBeLessThan(300);
    if (route.operationId === 'removeMember') {
      const back = await api.call('PUT', '/entities/lab/members/mem', { body: { role: 'member' } });
      expect(back.status).toBe(200);
    } else if (route.operationId === 'putMember') {
      await api.call('PUT', '/entities/lab/members/mem', { body: { role: 'member' } });
    }
  });

  test('every route that changes something has its role checked here or is one of the open ones', () => {
    const unchecked = named
      .filter(([, route]) => route.method !== 'get' && route.auth === 'user')
      .map(([, route]) => route.operationId)
      .filter(
        (id) =>
          needs[id] === undefined &&
          !['createUser', 'createTeam', 'revokeKey', 'enqueueLaunches', 'resealSecrets'].includes(id),
      );
    expect(unchecked).toEqual([]);
  });

  test('a team keeps an admin, even when two take each other out at once', async () => {
    const { userId } = await createUser(api.db, { username: 'zoe' });
    const { key } = await issueKey(api.db, { kind: 'user', userId });
    await api.call('PUT', '/entities/lab/members/zoe', { body: { role: 'admin' } });
    const [one, two] = await Promise.all([
      api.call('DELETE', '/entities/lab/members/zoe'),
      api.call('DELETE', '/entities/lab/members/ada', { key }),
    ]);
    expect([one.status, two.status].filter((status) => status === 204)).toHaveLength(1);
    const members = await api.call('GET', '/entities/lab/members', { key: api.keys.root });
    expect(members.body.items.filter((m: { role: string }) => m.role === 'admin')).toHaveLength(1);
    await api.call('PUT', '/entities/lab/members/ada', { key: api.keys.root, body: { role: 'admin' } });
    expect((await api.call('DELETE', '/entities/ada/members/ada')).body.code).toBe('conflict');
  });
});

test('every change left its actor behind', async () => {
  const rows = await api.db.selectFrom('audit').select(['actor', 'action', 'subject', 'data']).execute();
  const actions = new Set(rows.map((row) => row.action));
  for (const action of [
    'queue.create',
    'queue.update',
    'job.create',
    'member.set',
    'member.remove',
    'key.create',
    'project.create',
    'launch.cancel',
  ])
    expect(actions).toContain(action);
  expect(rows.find((row) => row.action === 'queue.create')).toMatchObject({ actor: 'ada', subject: 'queue/lab/q' });
  expect(JSON.stringify(rows)).not.toMatch(/davit_(user|agent|run)-/);
});
