import { afterAll, beforeAll, expect, test } from 'vitest';
import { useVersion } from '../../store/artifact-usages.js';
import { projectByName } from '../../store/projects.js';
import { makeLaunchable, startTestApi, type TestApi } from './support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await makeLaunchable(api);
});
afterAll(() => api.close());

const base = '/entities/lab/projects/demo/artifacts';

test('artifacts of a project are listed with their versions, lineage and files, page by page', async () => {
  const list = await api.call('GET', `${base}?limit=1`);
  expect(list.status, list.text).toBe(200);
  expect(list.body.items).toMatchObject([{ name: 'code-train', type: 'code', kind: 'sequence', tags: [] }]);
  const rest = await api.call('GET', `${base}?limit=1&cursor=${list.body.nextCursor}`);
  expect(rest.body.items.map((item: { name: string }) => item.name)).toEqual(['train']);
  expect(rest.body.nextCursor).toBeUndefined();
  expect((await api.call('GET', `${base}?type=job`)).body.items).toHaveLength(1);

  const versions = await api.call('GET', `${base}/code-train/versions`);
  expect(versions.status, versions.text).toBe(200);
  expect(versions.body.items).toMatchObject([
    { collection: 'code-train', version: 'v0', aliases: ['latest'], metadata: { codePath: '.' } },
  ]);

  const project = await projectByName(api.db, api.ids.lab, 'demo');
  const run = await api.db
    .insertInto('run')
    .values({ project_id: project?.id ?? 0, name: 'user0001', display_name: 'one' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const code = await api.db.selectFrom('artifact').select('id').orderBy('id').limit(1).executeTakeFirstOrThrow();
  await useVersion(api.db, { runId: run.id, artifactId: code.id });
  const shown = await api.call('GET', `${base}/code-train/versions/latest`);
  expect(shown.body).toMatchObject({
    version: { version: 'v0', type: 'code' },
    loggedBy: null,
    usedBy: [{ entity: 'lab', project: 'demo', name: 'user0001' }],
  });
  const used = await api.call('GET', '/runs/lab/demo/user0001/artifacts?direction=used');
  expect(used.body.items).toMatchObject([{ collection: 'code-train', version: 'v0' }]);
  expect((await api.call('GET', '/runs/lab/demo/user0001/artifacts')).body.items).toEqual([]);

  const names: string[] = [];
  let cursor = '';
  for (let pages = 0; pages < 20; pages++) {
    const files = await api.call('GET', `${base}/code-train/versions/v0/files?limit=1${cursor}`);
    expect(files.status, files.text).toBe(200);
    for (const file of files.body.items as { path: string; url: string; size: number }[]) {
      names.push(file.path);
      expect((await (await fetch(file.url)).arrayBuffer()).byteLength).toBe(file.size);
    }
    if (files.body.nextCursor === undefined) break;
    cursor = `&cursor=${files.body.nextCursor}`;
  }
  expect(names).toEqual(['requirements.txt', 'train.py']);
});

test('what is not there is not found', async () => {
  for (const path of [
    `${base}/nothing/versions`,
    `${base}/train/versions/v9`,
    `${base}/train/versions/v9/files`,
    '/entities/lab/projects/nothing/artifacts',
    '/runs/lab/demo/nothing/artifacts',
  ])
    expect((await api.call('GET', path)).status, path).toBe(404);
  expect((await api.call('GET', `${base}?cursor=nonsense`)).status).toBe(400);
});
