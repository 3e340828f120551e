import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkVersion } from '../../store/artifact-link.js';
import { deleteVersionUnlessNamed } from '../../store/artifact-edit.js';
import { versionById } from '../../store/artifact-versions.js';
import { ensureProject } from '../../store/projects.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';
import { storeVersion } from './support/stored-artifacts.js';

let api: TrackingApi;
beforeAll(async () => {
  api = await startTrackingApi();
});
afterAll(() => api.close());

const places = (artifactId: number) =>
  api.db.selectFrom('artifact_membership').select('id').where('artifact_id', '=', artifactId).execute();
const waiting = async () => {
  const { rows } = await sql`select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(api.db);
  return rows.length > 0;
};

async function stored(collection: string) {
  const made = await storeVersion(api, {
    entityId: api.entityId,
    project: 'race',
    collection,
    files: { 'a.txt': collection },
  });
  const version = await versionById(api.db, made.artifactId);
  if (!version) throw new Error('the version is gone');
  const { id: projectId } = await ensureProject(api.db, api.entityId, 'registry');
  const link = (db = api.db) => linkVersion(db, version, { projectId, portfolio: 'best', aliases: ['prod'] });
  const remove = (db = api.db) => deleteVersionUnlessNamed(db, version.id, { withAliases: true });
  return { version, link, remove };
}

test('a version that is deleted while it is linked keeps no place', async () => {
  const { version, link, remove } = await stored('linked-first');
  let removing: Promise<boolean> | undefined;
  await api.db.transaction().execute(async (tx) => {
    await link(tx);
    removing = remove();
    await until(waiting, { what: 'the deletion to wait for the link' });
  });
  expect(await removing).toBe(true);
  expect(await places(version.id)).toEqual([]);
});

test('a version that is linked while it is deleted is not linked, and the portfolio is not harmed', async () => {
  const { version, link, remove } = await stored('deleted-first');
  let linking: Promise<unknown> | undefined;
  await api.db.transaction().execute(async (tx) => {
    await remove(tx);
    linking = link().catch((error: unknown) => error);
    await until(waiting, { what: 'the link to wait for the deletion' });
  });
  expect(await linking).toMatchObject({ code: 'conflict' });
  expect(await places(version.id)).toEqual([]);
});
