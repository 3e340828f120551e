import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, isErrorCode } from '../../domain/errors.js';
import { until } from '../support/until.js';
import { makeLaunchable, startTestApi, type CallOptions, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ jsonBodyBytes: 100_000 });
  await makeLaunchable(api);
});
afterAll(() => api.close());

const launch = { queue: 'lab/q', job: 'lab/demo/train' };
const post = (body: unknown): CallOptions => ({ body });
const json = (raw: string): CallOptions => ({ raw, headers: { 'Content-Type': 'application/json' } });

/** What was sent, the code that answers, the fields it names. */
const cases: [string, string, string, CallOptions, string, string[]?][] = [
  ['unknown queue', 'POST', '/launches', post({ ...launch, queue: 'lab/nil' }), 'unknown-queue'],
  ['queue that is no reference', 'POST', '/launches', post({ ...launch, queue: 'a/b/c' }), 'unknown-queue'],
  ['unknown job', 'POST', '/launches', post({ ...launch, job: 'lab/demo/nil' }), 'unknown-job'],
  ['unknown job version', 'POST', '/launches', post({ ...launch, job: 'lab/demo/train:v9' }), 'unknown-job'],
  ['bad priority', 'POST', '/launches', post({ ...launch, priority: 'urgent' }), 'invalid-priority', ['priority']],
  ['wrong type', 'POST', '/launches', post({ ...launch, queue: 5 }), 'invalid-request', ['queue']],
  ['several faults at once', 'POST', '/launches', post({ queue: 5 }), 'invalid-request', ['queue', 'job']],
  ['unknown key', 'POST', '/launches', post({ ...launch, colour: 'red' }), 'invalid-request', ['colour']],
  [
    'unknown key deep inside',
    'POST',
    '/launches',
    post({ ...launch, overrides: { arg: [] } }),
    'invalid-request',
    ['overrides.arg'],
  ],
  [
    'wrong type deep inside',
    'POST',
    '/launches',
    post({ ...launch, overrides: { args: ['a', 1] } }),
    'invalid-request',
    ['overrides.args.1'],
  ],
  [
    'path that leaves the job',
    'POST',
    '/launches',
    post({ ...launch, overrides: { workingDir: '../x' } }),
    'invalid-request',
    ['overrides.workingDir'],
  ],
  [
    'variable that is no variable',
    'POST',
    '/launches',
    post({ ...launch, overrides: { environment: { 'A-B': '1' } } }),
    'invalid-request',
    ['overrides.environment.A-B'],
  ],
  ['NUL character', 'POST', '/launches', post({ ...launch, name: 'a\0b' }), 'invalid-request'],
  [
    'half a surrogate pair',
    'POST',
    '/launches',
    json(JSON.stringify(launch).replace('}', ',"name":"\\ud800"}')),
    'invalid-request',
  ],
  ['empty body', 'POST', '/launches', json(''), 'invalid-request', ['queue', 'job']],
  ['no body', 'POST', '/launches', {}, 'invalid-request', ['queue', 'job']],
  ['list instead of object', 'POST', '/launches', json('[]'), 'invalid-request'],
  ['null', 'POST', '/launches', json('null'), 'invalid-request'],
  ['broken JSON', 'POST', '/launches', json('{"queue": "secret'), 'invalid-json'],
  ['JSON with NaN', 'POST', '/launches', json('{"a": NaN}'), 'invalid-json'],
  [
    'another content type',
    'POST',
    '/launches',
    { raw: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    'unsupported-media-type',
  ],
  [
    'unknown encoding',
    'POST',
    '/launches',
    { raw: 'x', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'zstd9' } },
    'unsupported-media-type',
  ],
  [
    'not gzip though it says so',
    'POST',
    '/launches',
    { raw: '{}', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } },
    'invalid-request',
  ],
  ['oversized body', 'POST', '/launches', post({ ...launch, name: 'x'.repeat(200_000) }), 'body-too-large'],
  [
    'bad idempotency key',
    'POST',
    '/launches',
    { body: launch, headers: { 'Idempotency-Key': 'a b' } },
    'invalid-request',
    ['header.Idempotency-Key'],
  ],
  [
    '1,001 at once',
    'POST',
    '/launches/batch',
    post({ launches: Array.from({ length: 1001 }, () => launch) }),
    'invalid-request',
    ['launches'],
  ],
  ['none at once', 'POST', '/launches/batch', post({ launches: [] }), 'invalid-request', ['launches']],
  [
    'one bad in a batch',
    'POST',
    '/launches/batch',
    post({ launches: [launch, { ...launch, priority: 1 }] }),
    'invalid-priority',
    ['launches.1.priority'],
  ],
  ['bad name', 'POST', '/queues', post({ entity: 'lab', name: 'a b' }), 'invalid-request', ['name']],
  [
    'name that is too long',
    'POST',
    '/queues',
    post({ entity: 'lab', name: 'x'.repeat(65) }),
    'invalid-request',
    ['name'],
  ],
  ['name taken', 'POST', '/queues', post({ entity: 'lab', name: 'q' }), 'conflict'],
  [
    'target that is no target',
    'POST',
    '/queues',
    post({ entity: 'lab', name: 'x', target: 'abacus' }),
    'invalid-request',
    ['target'],
  ],
  [
    'target that is not there yet',
    'POST',
    '/queues',
    post({ entity: 'lab', name: 'x', target: 'vertex' }),
    'unsupported-target',
  ],
  ['target cannot change', 'PATCH', '/queues/lab/q', post({ target: 'docker' }), 'invalid-request', ['target']],
  ['team name taken by a user', 'POST', '/entities', post({ name: 'bob' }), 'conflict'],
  ['role that is no role', 'PUT', '/entities/lab/members/bob', post({ role: 'owner' }), 'invalid-request', ['role']],
  [
    'key that has ended already',
    'POST',
    '/keys',
    post({ kind: 'user', expiresAt: '2020-01-01T00:00:00Z' }),
    'invalid-request',
    ['expiresAt'],
  ],
  ['agent key without entity', 'POST', '/keys', post({ kind: 'agent' }), 'invalid-request', ['entity']],
  ['unknown query parameter', 'GET', '/launches?colour=red', {}, 'invalid-request', ['query.colour']],
  ['query parameter where none is', 'GET', '/viewer?x=1', {}, 'invalid-request', ['query.x']],
  ['bad state filter', 'GET', '/launches?state=queued,asleep', {}, 'invalid-request', ['query.state.1']],
  ['same filter twice', 'GET', '/launches?state=queued&state=failed', {}, 'invalid-request', ['query.state']],
  ['bad time', 'GET', '/launches?since=yesterday', {}, 'invalid-request', ['query.since']],
  ['limit of 0', 'GET', '/launches?limit=0', {}, 'invalid-request', ['query.limit']],
  ['limit that is no number', 'GET', '/launches?limit=ten', {}, 'invalid-request', ['query.limit']],
  ['foreign cursor', 'GET', '/launches?cursor=abc', {}, 'invalid-request', ['query.cursor']],
  [
    'cursor of another list',
    'GET',
    `/launches?cursor=${Buffer.from('["a","b"]').toString('base64url')}`,
    {},
    'invalid-request',
    ['query.cursor'],
  ],
  ['unknown launch', 'GET', '/launches/abcdefghij0123456789', {}, 'not-found'],
  ['id that is no id', 'GET', '/launches/..%2f..%2fetc', {}, 'not-found'],
  ['id with NUL', 'GET', '/launches/a%00b', {}, 'not-found'],
  ['name with NUL', 'GET', '/entities/a%00b', {}, 'not-found'],
  ['half-encoded path', 'GET', '/launches/%', {}, 'invalid-request'],
  ['key id that is no id', 'DELETE', '/keys/12', {}, 'not-found'],
  ['unknown address', 'GET', '/nothing', {}, 'not-found'],
  ['unknown method', 'DELETE', '/queues', {}, 'method-not-allowed'],
  [
    'last event id that is none',
    'GET',
    '/launches/ID/logs/stream',
    { headers: { 'Last-Event-ID': 'x' } },
    'invalid-request',
    ['header.Last-Event-ID'],
  ],
];

describe('each fault has its code, its sentence and its next step', () => {
  test.each(cases)('%s', async (_name, method, path, options, code, fields) => {
    const accepted = path.includes('/ID/') ? (await api.call('POST', '/launches', { body: launch })).body.id : '';
    const answer = await api.call(method, path.replace('ID', accepted as string), options);
    expect(answer.body?.code, answer.text).toBe(code);
    if (!isErrorCode(code)) throw new Error(`${code} is not in the catalogue`);
    expect(answer.status).toBe(catalogue[code].status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toMatchObject({
      type: `${api.url}/docs/errors/${code}`,
      title: catalogue[code].title,
      status: catalogue[code].status,
      fix: catalogue[code].fix,
      requestId: answer.headers.get('x-request-id'),
    });
    expect(answer.body.detail.length).toBeGreaterThan(5);
    if (fields) expect(answer.body.errors.map((e: { path: string }) => e.path)).toEqual(fields);
    expect(answer.text).not.toContain('secret');
  });

  test('and no launch, queue or key came of any of it, nor a complaint in the log', async () => {
    const accepted = await api.call('GET', '/launches?limit=200');
    expect(accepted.body.items).toHaveLength(cases.filter(([, , path]) => path.includes('/ID/')).length);
    expect((await api.call('GET', '/queues')).body.items).toHaveLength(1);
    expect(api.complaints).toEqual([]);
  });

  test('a key named __proto__ is an unknown key like any other, or data', async () => {
    const answer = await api.call(
      'POST',
      '/launches',
      json('{"queue":"lab/q","job":"lab/demo/train","__proto__":{"x":1}}'),
    );
    expect(answer.body.code, answer.text).toBe('invalid-request');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

test('one bad launch in a batch leaves the others', async () => {
  const answer = await api.call('POST', '/launches/batch', {
    body: { launches: [launch, { ...launch, queue: 'lab/nil' }, launch] },
  });
  expect(answer.status).toBe(200);
  expect(answer.body.results).toMatchObject([
    { created: true },
    { error: { code: 'unknown-queue', status: 404 } },
    { created: true },
  ]);
});

test('an answer names the request, by the caller’s own id when it is sane', async () => {
  const given = await api.call('GET', '/viewer', { headers: { 'X-Request-Id': 'mine-1' } });
  expect(given.headers.get('x-request-id')).toBe('mine-1');
  const mad = await api.call('GET', '/viewer', { headers: { 'X-Request-Id': 'x'.repeat(500) } });
  expect(mad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(given.headers.get('x-powered-by')).toBeNull();
  expect(given.headers.get('x-content-type-options')).toBe('nosniff');
});

test('on loopback the API answers for its own names only', async () => {
  const port = Number(new URL(api.url).port);
  const ask = (host: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (piece: Buffer) => (text += piece.toString()));
      socket.on('end', () => resolve(text.split('\r\n')[0] ?? ''));
      socket.on('error', reject);
      socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
  expect(await ask('evil.example')).toContain('421');
  expect(await ask(`evil.example:${port}`)).toContain('421');
  expect(await ask(`localhost:${port}`)).toContain('200');
  expect(await ask('127.0.0.1')).toContain('200');
});

test('a body that stops in the middle is no body', async () => {
  const port = Number(new URL(api.url).port);
  const before = (await api.call('GET', '/launches?limit=200')).body.items.length as number;
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const body = JSON.stringify(launch);
  socket.write(
    `POST /api/v1/launches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.keys.ada}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
  );
  await until(() => socket.bytesWritten > 0);
  socket.destroy();
  expect((await api.call('GET', '/launches?limit=200')).body.items).toHaveLength(before);
  expect(api.complaints).toEqual([]);
});
