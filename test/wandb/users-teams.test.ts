import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTeam, createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';

let api: TrackingApi;
let admin = '';
let bob = '';
let eve = '';
beforeAll(async () => {
  api = await startTrackingApi();
  const key = async (user: Parameters<typeof createUser>[1]) => {
    const { userId } = await createUser(api.db, user);
    return (await issueKey(api.db, { kind: 'user', userId })).key;
  };
  admin = await key({ username: 'root', email: 'root@example.test', isAdmin: true });
  bob = await key({ username: 'bob', email: 'Bob@example.test' });
  eve = await key({ username: 'eve', email: 'eve@example.test' });
}, 300_000);
afterAll(() => api.close());

const names = async (query: string, key: string) =>
  (
    await api.graphql<{
      users: { edges: { node: { username: string; teams: { edges: { node: { name: string } }[] } } }[] };
    }>(
      'query SearchUsers($query: String) { users(query: $query) { edges { node { id name username email admin flags entity deletedAt apiKeys { edges { node { id name description } } } teams { edges { node { name } } } } } } }',
      { query },
      key,
    )
  ).data.users.edges.map(({ node }) => node.username);

const membersQuery =
  'query T($n: String!) { entity(name: $n) { id name available photoUrl readOnly readOnlyAdmin isTeam entityType privateOnly storageBytes codeSavingEnabled defaultAccess isPaid members { id admin pending email username name photoUrl accountType apiKey } } }';

test('a team is made, filled and emptied by its admins, and by nobody else', async () => {
  const made = await api.graphql<{ result: { entity: { name: string } } }>(
    'mutation { result: createTeam(input: {teamName: "crew"}) { entity { id name available photoUrl limits } } }',
  );
  expect(made.data.result.entity.name).toBe('crew');
  const invite = (who: string, key = api.key, isAdmin = false) =>
    api.graphql<{ result: { invite: { name: string } } | null }>(
      'mutation I($e: String, $u: String, $a: Boolean) { result: createInvite(input: {entityName: "crew", email: $e, username: $u, admin: $a}) { invite { id name email createdAt toUser { name } } } }',
      { [who.includes('@') ? 'e' : 'u']: who, a: isAdmin },
      key,
    );
  expect((await invite('bob@EXAMPLE.test')).data.result?.invite.name).toBe('bob');
  expect((await invite('nobody')).errors?.[0]?.message).toMatch(/no user "nobody"/);
  // Eve may not know of the team, Bob may not fill it.
  expect((await invite('eve', eve)).errors?.[0]?.message).toMatch(/no entity "crew"/);
  expect((await invite('eve', bob)).errors?.[0]?.message).toMatch(/chosen by its admins/);
  type Members = { entity: { members: { id: string; username: string; admin: boolean; apiKey: null }[] } | null };
  const seen = await api.graphql<Members>(membersQuery, { n: 'crew' }, bob);
  expect(seen.data.entity?.members.map(({ username, admin: isAdmin }) => [username, isAdmin])).toEqual([
    ['ada', true],
    ['bob', false],
  ]);
  expect((await api.graphql<Members>(membersQuery, { n: 'crew' }, eve)).data.entity).toBeNull();

  const remove = (id: string, key: string) =>
    api.graphql<{ result: { success: boolean } | null }>(
      'mutation D($id: String) { result: deleteInvite(input: {id: $id, entityName: "crew"}) { success } }',
      { id },
      key,
    );
  const idOf = (name: string) => seen.data.entity?.members.find(({ username }) => username === name)?.id ?? '';
  expect((await remove(idOf('ada'), bob)).errors).toHaveLength(1);
  expect((await remove(idOf('ada'), api.key)).errors?.[0]?.message).toMatch(/at least one admin/);
  expect((await remove(idOf('bob'), api.key)).data.result?.success).toBe(true);
  expect((await remove(idOf('bob'), api.key)).errors?.[0]?.message).toMatch(/no member/);
  expect(
    (
      await api.graphql(
        'mutation { createServiceAccount(input: {entityName: "crew", description: "ci"}) { user { id } } }',
      )
    ).errors?.[0]?.message,
  ).toMatch(/no service accounts/);
  const audited = await api.db
    .selectFrom('audit')
    .select(['action', 'subject'])
    .where('subject', 'like', 'entity/crew%')
    .orderBy('id')
    .execute();
  expect(audited.map(({ action }) => action)).toEqual(['team.create', 'member.set', 'member.remove']);
});

test('users are found by those who may know of them', async () => {
  await createTeam(api.db, { name: 'pair', adminUserId: api.userId });
  await api.graphql('mutation { createInvite(input: {entityName: "pair", username: "bob"}) { invite { id } } }');
  expect(await names('bob', admin)).toEqual(['bob']);
  expect(await names('example.test', admin)).toEqual(['ada', 'bob', 'eve', 'root']);
  expect(await names('EVE@example.test', admin)).toEqual(['eve']);
  expect(await names('', api.key)).toEqual(['ada', 'bob']);
  expect(await names('eve', api.key)).toEqual([]);
  expect(await names('ada', eve)).toEqual([]);
});

test('a site admin makes users; nobody else does', async () => {
  const create = (email: string, key: string) =>
    api.graphql<{ result: { user: { username: string; email: string; admin: boolean } } | null }>(
      'mutation C($email: String!, $admin: Boolean) { result: createUser(input: {email: $email, admin: $admin}) { user { id name username email admin } } }',
      { email, admin: false },
      key,
    );
  expect((await create('x@example.test', api.key)).errors?.[0]?.message).toMatch(/site admin/);
  expect((await create('grace.hopper@example.test', admin)).data.result?.user).toMatchObject({
    username: 'grace-hopper',
    admin: false,
  });
  expect((await create('grace.hopper@navy.test', admin)).data.result?.user.username).toBe('grace-hopper-2');
  expect((await create('Grace.Hopper@example.test', admin)).errors?.[0]?.message).toMatch(/already/);
  expect((await create('nonsense', admin)).errors?.[0]?.message).toMatch(/not an e-mail/);
});

test('a key is made, works, is listed without its text, and ends', async () => {
  const made = await api.graphql<{ result: { apiKey: { id: string; name: string } } }>(
    'mutation G($d: String) { result: generateApiKey(input: {description: $d}) { apiKey { id name description } } }',
    { d: 'laptop' },
  );
  const { id, name: key } = made.data.result.apiKey;
  type Viewer = {
    viewer: {
      username: string;
      apiKeys: { edges: { node: { id: string; name: string; description: string } }[] };
    } | null;
  };
  const viewer = (withKey: string) =>
    api.graphql<Viewer>('{ viewer { username apiKeys { edges { node { id name description } } } } }', {}, withKey);
  const seen = await viewer(key);
  expect(seen.data.viewer?.username).toBe('ada');
  expect(seen.data.viewer?.apiKeys.edges.find(({ node }) => node.id === id)?.node.description).toBe('laptop');
  expect(JSON.stringify(seen.data)).not.toContain(key);
  const end = (withKey: string) =>
    api.graphql<{ result: { success: boolean } | null }>(
      'mutation D($id: String!) { result: deleteApiKey(input: {id: $id}) { success } }',
      { id },
      withKey,
    );
  expect((await end(eve)).errors?.[0]?.message).toMatch(/no such key/);
  expect((await end(api.key)).data.result?.success).toBe(true);
  expect((await viewer(key)).status).toBe(401);
});

test('a project has no reports, and says so to whoever wants to keep one', async () => {
  await api.graphql('mutation { upsertModel(input: {name: "demo"}) { inserted } }');
  const views = await api.graphql<{ project: { allViews: unknown; readOnly: boolean } }>(
    'query ProjectViews($v: String = "runs", $n: Int!) { project(name: "demo", entityName: "ada") { readOnly allViews(viewType: $v, first: $n) { edges { node { id name displayName description user { username photoUrl email } spec updatedAt createdAt } cursor } pageInfo { endCursor hasNextPage } } } }',
    { n: 50 },
  );
  expect(views.data.project).toEqual({
    readOnly: false,
    allViews: { edges: [], pageInfo: { endCursor: null, hasNextPage: false } },
  });
  expect(
    (await api.graphql('mutation { upsertView(input: {name: "r", spec: "{}"}) { view { id } } }')).errors?.[0]?.message,
  ).toMatch(/no reports/);
});
