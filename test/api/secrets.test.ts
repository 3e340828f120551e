import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindQueues } from '../../store/agent-queues.js';
import { Keyring, newKeyLine } from '../../store/keyring.js';
import { issueKey } from '../../store/keys.js';
import { secretsGiven } from '../../store/launch-secrets.js';
import { cancel, claim } from '../../store/line.js';
import { failure } from '../../domain/errors.js';
import { resealSecrets } from '../../store/secrets.js';
import { makeLaunchable, startTestApi, type Answer, type TestApi } from './support/api.js';

let api: TestApi;
const [oldKey, newKey] = [newKeyLine(new Date('2025-01-01')), newKeyLine(new Date('2026-01-01'))];
const keyring = Keyring.parse(oldKey);
const agent = { id: 'agent-1', incarnation: 'incarnation1' };

beforeAll(async () => {
  api = await startTestApi({}, { keyring });
  await makeLaunchable(api);
  await api.db
    .insertInto('agent')
    .values({ ...agent, entity_id: api.ids.lab, name: 'worker', max_jobs: 100 })
    .execute();
});
afterAll(() => api.close());

const set = (name: string, value: string, over: Record<string, unknown> = {}): Promise<Answer> =>
  api.call('PUT', `/entities/lab/secrets/${name}`, { body: { value, ...over } });
const allow = async (queue: string, settings: Record<string, unknown>): Promise<Answer> =>
  api.call('PATCH', `/queues/lab/${queue}`, { body: settings });
const enqueue = (queue: string, secrets?: Record<string, string>): Promise<Answer> =>
  api.call('POST', '/launches', {
    body: { queue: `lab/${queue}`, job: 'lab/demo/train', ...(secrets ? { overrides: { secrets } } : {}) },
  });
async function makeQueue(name: string, settings: Record<string, unknown> = {}): Promise<number> {
  const made = await api.call('POST', '/queues', { body: { entity: 'lab', name, ...settings } });
  expect(made.status, made.text).toBe(201);
  const row = await api.db.selectFrom('queue').select('id').where('name', '=', name).executeTakeFirstOrThrow();
  const targets = { process: { place: 'here', ok: true, details: [] } };
  await bindQueues(api.db, { agentId: agent.id, entityId: api.ids.lab, queues: ['*'], targets });
  return row.id;
}

let tickets = 0;
/** The launch first in line, as an agent holds it. */
async function taken(queue: string): Promise<{ launchId: string; claim: string }> {
  const row = await api.db.selectFrom('queue').select('id').where('name', '=', queue).executeTakeFirstOrThrow();
  const answer = await claim(api.db, {
    queueId: row.id,
    ticket: `t/${++tickets}`,
    ticketAttempt: 1,
    agentId: agent.id,
    incarnation: agent.incarnation,
    privateQueue: 'agent.x',
    place: 'here',
  });
  if (answer.outcome !== 'granted') throw new Error(JSON.stringify(answer));
  return { launchId: answer.launchId, claim: answer.claim };
}
const asAgent = (held: { launchId: string; claim: string }, what: string, body = {}, key = api.keys.labAgent) =>
  api.call('POST', `/agents/${agent.id}/launches/${held.launchId}/${what}`, {
    key,
    body: { claim: held.claim, ...body },
  });
const masksOf = (held: { launchId: string; claim: string }, key = api.keys.labAgent) =>
  api.call('GET', `/agents/${agent.id}/launches/${held.launchId}/masks?claim=${held.claim}`, { key });

describe('a secret', () => {
  test('is set by an admin, listed by name, and never answered again', async () => {
    const value = `planted-${randomUUID()}`;
    const made = await set('hf', value, { description: 'read only' });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/api/v1/entities/lab/secrets/hf']);
    expect(made.body).toMatchObject({
      entity: 'lab',
      name: 'hf',
      description: 'read only',
      version: 1,
      queues: [],
      usedAt: null,
    });
    const again = await set('hf', `${value}-2`);
    expect([again.status, again.body.version, again.body.description]).toEqual([200, 2, 'read only']);

    const answers = [made, again];
    for (const key of [api.keys.ada, api.keys.vic, api.keys.root])
      for (const path of ['/entities/lab/secrets', '/entities/lab/secrets/hf', '/audit?subject=secret/lab/hf'])
        answers.push(await api.call('GET', path, { key }));
    for (const answer of answers) expect(answer.text).not.toContain(value);
    const audit = await api.call('GET', '/audit?subject=secret/lab/hf');
    expect(audit.body.items.map(({ action, actor, data }: Record<string, unknown>) => [action, actor, data])).toEqual([
      ['secret.set', 'ada', { version: 2 }],
      ['secret.set', 'ada', { version: 1 }],
    ]);
    expect(api.complaints.join('')).not.toContain(value);
  });

  test('is refused by field when it cannot be one, without repeating it', async () => {
    for (const [value, why] of [
      ['abc', /at least 4 bytes/],
      ['x'.repeat(64 * 1024 + 1), /at most 65536 bytes/],
      ['nul\u0000inside', /cannot be stored/],
    ] as const) {
      const answer = await set('bad', value);
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
      expect(answer.body.errors[0]).toMatchObject({ path: 'value', message: expect.stringMatching(why) });
      expect(answer.text).not.toContain(value);
    }
    expect((await set('no%20name', 'value')).status).toBe(404);
    expect((await api.call('GET', '/entities/lab/secrets/nil')).body.code).toBe('unknown-secret');
    expect((await api.call('DELETE', '/entities/lab/secrets/nil')).body.code).toBe('unknown-secret');
  });

  test('needs a key to be stored under, and says so', async () => {
    const bare = await startTestApi({}, { keyring: undefined });
    try {
      const answer = await bare.call('PUT', '/entities/lab/secrets/hf', { body: { value: 'value' } });
      expect([answer.status, answer.body.code]).toEqual([409, 'secrets-not-configured']);
      expect(answer.body.fix).toContain('DAVIT_SECRET_KEYS_FILE');
    } finally {
      await bare.close();
    }
  });
});

describe('a queue', () => {
  test('allows secrets of its entity by name, and must know them', async () => {
    await set('one', 'value one');
    await makeQueue('allows');
    const unknown = await allow('allows', { secrets: ['one', 'nil'] });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown-secret']);
    expect((await allow('allows', { secrets: ['one'], secretVariables: { TOKEN: 'one' } })).body).toMatchObject({
      secrets: ['one'],
      secretVariables: { TOKEN: 'one' },
    });
    expect((await api.call('GET', '/entities/lab/secrets/one')).body.queues).toEqual(['allows']);
    for (const name of ['WANDB_API_KEY', 'DAVIT_LAUNCH_ID', 'no name'])
      expect((await allow('allows', { secretVariables: { [name]: 'one' } })).status, name).toBe(400);
    const made = await api.call('POST', '/queues', { body: { entity: 'lab', name: 'typo', secrets: ['oen'] } });
    expect(made.body.code).toBe('unknown-secret');
    expect((await api.call('GET', '/queues/lab/typo')).status).toBe(404);
  });

  test('that does not allow a secret takes no launch that names it', async () => {
    await set('two', 'value two');
    await makeQueue('strict');
    const refused = await enqueue('strict', { TOKEN: 'two' });
    expect([refused.status, refused.body.code]).toEqual([403, 'secret-not-allowed']);
    await allow('strict', { secrets: ['two'] });
    expect((await enqueue('strict', { TOKEN: 'nil' })).body.code).toBe('secret-not-allowed');
    expect((await enqueue('strict', { WANDB_API_KEY: 'two' })).status).toBe(400);
    const accepted = await enqueue('strict', { TOKEN: 'two' });
    expect(accepted.status, accepted.text).toBe(201);
    const shown = await api.call('GET', `/launches/${accepted.body.id}`);
    expect(shown.body.resolved.secrets).toEqual({ TOKEN: 'two' });
    expect(shown.text).not.toContain('value two');
  });

  test('shows in a dry run which variables will hold which secrets', async () => {
    await makeQueue('dry', { secrets: ['two'], secretVariables: { QUEUE_TOKEN: 'one' } });
    const body = { queue: 'lab/dry', job: 'lab/demo/train', overrides: { secrets: { TOKEN: 'two' } } };
    const answer = await api.call('POST', '/launches?dryRun=true', { body });
    expect(answer.body.secrets.slice(0, 2)).toEqual([
      { name: 'QUEUE_TOKEN', source: 'the secret one of lab' },
      { name: 'TOKEN', source: 'the secret two of lab' },
    ]);
    expect(answer.text).not.toMatch(/value (one|two)/);
  });

  test('forgets a secret that is deleted: another one of its name is not meant', async () => {
    await set('brief', 'value');
    await makeQueue('forgets', { secrets: ['brief', 'one'], secretVariables: { A: 'brief', B: 'one' } });
    expect((await api.call('DELETE', '/entities/lab/secrets/brief')).status).toBe(204);
    await set('brief', 'another value');
    expect((await api.call('GET', '/queues/lab/forgets')).body).toMatchObject({
      secrets: ['one'],
      secretVariables: { B: 'one' },
    });
    const audit = await api.call('GET', '/audit?subject=secret/lab/brief');
    expect(audit.body.items[1]).toMatchObject({ action: 'secret.delete', data: { queues: ['forgets'] } });
  });
});

describe('the agent that holds a launch', () => {
  test('gets the values of its variables, beside the key of the run, and it is noted', async () => {
    await set('three', 'value three');
    await makeQueue('gives', { secrets: ['three'], secretVariables: { QUEUE_TOKEN: 'three' } });
    await enqueue('gives', { TOKEN: 'three' });
    const held = await taken('gives');
    const answer = await asAgent(held, 'secrets');
    expect(answer.body.environment).toEqual({
      QUEUE_TOKEN: 'value three',
      TOKEN: 'value three',
      WANDB_API_KEY: expect.stringMatching(/^davit_run-/),
    });
    expect((await masksOf(held)).body.values).toEqual(['value three']);
    const audit = await api.call('GET', '/audit?subject=secret/lab/three');
    expect(audit.body.items[0]).toMatchObject({
      action: 'secret.use',
      actor: 'agent/agent-1',
      data: { launch: held.launchId, attempt: 1 },
    });
    expect((await api.call('GET', '/entities/lab/secrets/three')).body.usedAt).not.toBeNull();
    expect(audit.text).not.toContain('value three');
  });

  test('gets the present value, and goes on hiding the former ones until the launch has ended', async () => {
    await set('four', 'first value');
    await makeQueue('present', { secrets: ['four'] });
    await enqueue('present', { TOKEN: 'four' });
    const held = await taken('present');
    await asAgent(held, 'secrets');
    await set('four', 'second value');
    expect((await asAgent(held, 'secrets')).body.environment).toMatchObject({ TOKEN: 'second value' });
    await api.call('DELETE', '/entities/lab/secrets/four');
    expect((await masksOf(held)).body.values).toEqual(['first value', 'second value']);
    await cancel(api.db, held.launchId, 'ada', failure('cancelled', 'run'));
    await api.db.updateTable('launch').set({ state: 'stopped' }).where('id', '=', held.launchId).execute();
    expect(await secretsGiven(api.db, keyring, held.launchId)).toEqual([]);
  });

  test('gets for preparing what the queue allows, and nothing else', async () => {
    await set('registry', 'user:password');
    await makeQueue('prepares', { secrets: ['registry'] });
    await enqueue('prepares');
    const held = await taken('prepares');
    expect((await asAgent(held, 'named-secrets', { names: ['registry'] })).body.values).toEqual({
      registry: 'user:password',
    });
    const other = await asAgent(held, 'named-secrets', { names: ['registry', 'one'] });
    expect([other.status, other.body.code]).toEqual([403, 'secret-not-allowed']);
    expect((await masksOf(held)).body.values).toEqual(['user:password']);
  });

  test('gets nothing any more when the queue has stopped allowing it, or the secret is gone', async () => {
    await set('five', 'value five');
    await makeQueue('revokes', { secrets: ['five'] });
    await enqueue('revokes', { TOKEN: 'five' });
    await enqueue('revokes', { TOKEN: 'five' });
    const [first, second] = [await taken('revokes'), await taken('revokes')];
    await allow('revokes', { secrets: [] });
    expect((await asAgent(first, 'secrets')).body.code).toBe('secret-not-allowed');
    await allow('revokes', { secrets: ['five'] });
    await api.db.deleteFrom('secret').where('name', '=', 'five').execute();
    expect((await asAgent(second, 'secrets')).body.code).toBe('unknown-secret');
  });

  test('is the only one: no lost claim, no agent of other queues, and no person', async () => {
    await set('six', 'value six');
    const id = await makeQueue('only', { secrets: ['six'] });
    await makeQueue('elsewhere');
    await enqueue('only', { TOKEN: 'six' });
    const held = await taken('only');
    await asAgent(held, 'secrets');
    const bound = await issueKey(api.db, {
      kind: 'agent',
      userId: api.ids.ada,
      entityId: api.ids.lab,
      queueIds: [id + 1],
    });
    for (const [what, body] of [
      ['secrets', {}],
      ['named-secrets', { names: ['six'] }],
    ] as const) {
      expect((await asAgent({ ...held, claim: randomUUID() }, what, body)).body.code).toBe('claim-lost');
      expect((await asAgent(held, what, body, bound.key)).body.code).toBe('queue-not-bound');
      expect((await asAgent(held, what, body, api.keys.root)).body.code).toBe('forbidden');
    }
    expect((await masksOf({ ...held, claim: randomUUID() })).body.code).toBe('claim-lost');
    expect((await masksOf(held, bound.key)).body.code).toBe('queue-not-bound');
  });
});

test('keys are changed without anybody noticing: a new one first, everything stored anew, the old one out', async () => {
  const other = await startTestApi({}, { keyring: Keyring.parse(oldKey) });
  try {
    await other.call('PUT', '/entities/lab/secrets/kept', { body: { value: 'kept value' } });
    const { db } = other;
    const both = Keyring.parse(`${newKey}\n${oldKey}`);
    expect(await resealSecrets(db, both)).toBe(1);
    expect(await resealSecrets(db, both)).toBe(0);
    const row = await db.selectFrom('secret').select('key_id').executeTakeFirstOrThrow();
    expect(row.key_id).toBe(both.current);
    // The API of this test has the old key alone: it sees that the new one is missing.
    const keys = await other.call('GET', '/secret-keys', { key: other.keys.root });
    expect(keys.body).toEqual({
      current: keyring.current,
      keys: [
        { id: keyring.current, configured: true, secrets: 0, running: 0 },
        { id: both.current, configured: false, secrets: 1, running: 0 },
      ],
    });
    expect((await other.call('GET', '/secret-keys')).status).toBe(403);
    expect((await other.call('POST', '/secret-keys/reseal', { key: other.keys.root })).body).toEqual({ resealed: 0 });
  } finally {
    await other.close();
  }
});
