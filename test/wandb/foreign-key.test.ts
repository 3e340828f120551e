import { sql } from 'kysely';
import { isObjectType, type GraphQLObjectType } from 'graphql/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wandbSchema } from '../../api/wandb/schema/index.js';
import { createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { startTrackingApi, type TrackingApi } from '../support/tracking-api.js';
import { until } from '../support/until.js';
import { seedEverything, typesWithoutIds } from './support/foreign-seed.js';
import { idsIn, SchemaWalk, type Words } from './support/schema-walk.js';

/**
 * Two entities with projects, runs and everything else of the same names. The test reads the schema itself, so a field or mutation that is added
 * tomorrow is tried tomorrow: whatever it is, a key of the other entity gets nothing of it, and changes nothing.
 */
const mark = 'sealed-7f3a';
let api: TrackingApi;
let eve = '';
/** Ids of Ada's things, by type. */
let ids = new Map<string, Set<string>>();
let words: Words = {};
const types = wandbSchema.getTypeMap();
const rootOf = (type: GraphQLObjectType | null | undefined) => Object.values(type?.getFields() ?? {});
const queries = rootOf(wandbSchema.getQueryType());
const mutations = rootOf(wandbSchema.getMutationType()).filter(({ name }) => name !== '_');
const fieldsOf = (name: string) => (isObjectType(types[name]) ? Object.values(types[name].getFields()) : []);

beforeAll(async () => {
  api = await startTrackingApi();
  const { userId } = await createUser(api.db, { username: 'eve', email: 'eve@example.test' });
  eve = (await issueKey(api.db, { kind: 'user', userId })).key;
  words = await seedEverything(api, { key: api.key, entity: 'ada', mark });
  await seedEverything(api, { key: eve, entity: 'eve', mark: 'of-eve' });
  // Until all of it is listed: what is not there yet when ids are collected would not be tried.
  ids = await until(
    async () => {
      const found = idsIn(await everything(api.key));
      return missing(found).length === 0 ? found : undefined;
    },
    { what: 'an id of each type', ms: 60_000 },
  ).catch(async () => {
    throw new Error(
      `no id was seen of: ${missing(idsIn(await everything(api.key))).join(', ')}; seed one (support/foreign-seed.ts)`,
    );
  });
}, 300_000);
afterAll(() => api.close());

const missing = (found: Map<string, Set<string>>): string[] =>
  Object.values(types)
    .filter((type) => isObjectType(type) && !type.name.startsWith('__') && 'id' in type.getFields())
    .map(({ name }) => name)
    // What answers a mutation is no thing.
    .filter((name) => !found.has(name) && !(name in typesWithoutIds) && !name.endsWith('Payload'));

/** Everything below the project, the run and the root, a document for each field. */
async function everything(key: string): Promise<unknown[]> {
  const walk = new SchemaWalk(types, words);
  const run = fieldsOf('Run').map(
    (field) =>
      `{ project(name: "demo", entityName: "ada") { __typename run(name: "r1") { __typename ${walk.field('Run', field)} } } }`,
  );
  const project = fieldsOf('Project').map(
    (field) => `{ project(name: "demo", entityName: "ada") { __typename ${walk.field('Project', field)} } }`,
  );
  const root = queries.map((field) => `{ ${walk.field('Query', field)} }`);
  const answers: unknown[] = [];
  for (const document of [...run, ...project, ...root]) {
    const { data, errors } = await api.graphql(document, {}, key);
    // A field may refuse what it was asked with.
    for (const { message } of errors ?? []) expect(message, document).not.toMatch(wrongDocument);
    answers.push(
      data,
      errors?.map(({ message }) => message),
    );
  }
  return answers;
}

/** Whatever is in the database, but for notes on keys, requests and time. */
const unkept = new Set(['api_key', 'setting', 'unanswered', 'audit', 'migration']);
async function rows(): Promise<Map<string, { table: string; row: Record<string, unknown> }>> {
  const found = new Map<string, { table: string; row: Record<string, unknown> }>();
  const tables = await sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(api.db);
  for (const { name } of tables.rows) {
    if (unkept.has(name)) continue;
    const all = await sql<{
      row: Record<string, unknown>;
    }>`select to_jsonb(t) as row from ${sql.table(name)} as t`.execute(api.db);
    for (const { row } of all.rows) found.set(`${name} ${JSON.stringify(row)}`, { table: name, row });
  }
  return found;
}

test('Ada herself sees what is hidden from others', async () => {
  expect(JSON.stringify(await everything(api.key))).toContain(mark);
});

test('no field shows anything of another entity by its names', async () => {
  const seen = JSON.stringify(await everything(eve));
  expect(seen).not.toContain(mark);
  expect(
    [...idsIn(await everything(eve)).values()].flatMap((of) => [...of]).filter((id) => secretIds().has(id)),
  ).toEqual([]);
});

/** Ids that only Ada may come to know. */
const secretIds = () => new Set([...ids].flatMap(([, of]) => [...of]));

/** A document that is wrong in itself tries nothing. */
const wrongDocument =
  /^(Syntax Error|Cannot query|Unknown|Field ".*" (of type|argument)|This document|Variable|Fields ".*" conflict)/;

const isId = (name: string) => /(^id$|ID$|Id$|IDs$|Ids$|^clientID$|files$)/.test(name);

test('no field shows anything of another entity by its ids', async () => {
  const walk = new SchemaWalk(types, words);
  for (const field of queries) {
    for (const arg of field.args.filter(({ name }) => isId(name)))
      for (const id of secretIds()) {
        const document = `{ ${field.name}${walk.args('Query', field, { [arg.name]: id })} ${walk.field('Query', field).includes('{') ? '{ __typename }' : ''} }`;
        const { data, errors } = await api.graphql<Record<string, unknown>>(document, {}, eve);
        expect(data?.[field.name] ?? null, `${document} ${JSON.stringify(errors)}`).toBeNull();
      }
  }
});

describe('no mutation changes anything of another entity', () => {
  test.each(mutations.map((field) => [field.name, field] as const))(
    '%s',
    { timeout: 300_000 },
    async (_name, field) => {
      const before = await rows();
      const walk = new SchemaWalk(types, words);
      const tries = [...secretIds()].map((id) => Object.fromEntries(idNames(field).map((name) => [name, id])));
      const differences: string[] = [];
      for (const over of idNames(field).length === 0 ? [{}] : [{}, ...tries]) {
        const ask = (given: Words) =>
          api.graphql(`mutation { ${field.name}${walk.args('Mutation', field, given)} { __typename } }`, {}, eve);
        const mine = await ask(over);
        // 404: what an agent hears whose sweep is gone.
        expect([200, 404]).toContain(mine.status);
        for (const { message } of mine.errors ?? []) expect(message).not.toMatch(wrongDocument);
        expect(JSON.stringify(mine), JSON.stringify(over)).not.toContain(mark);
        // The same about what is nowhere.
        const nowhere = Object.fromEntries(Object.entries(over).map(([key, id]) => [key, nobodys(String(id))]));
        const other = await ask({ ...nowhere, ...elsewhere() });
        expect(other.status).toBe(mine.status);
        const [left, right] = [plainWords(mine, over), plainWords(other, nowhere)];
        if (left !== right) differences.push(`${JSON.stringify(over)}: ${left} | ${right}`);
      }
      expect(differences.slice(0, 3), 'refusals tell apart what is hidden from what is not there').toEqual([]);

      const after = await rows();
      expect([...before.keys()].filter((row) => !after.has(row)).map((row) => row.slice(0, 300))).toEqual([]);
      const added = [...after].filter(([row]) => !before.has(row)).map(([, { table, row }]) => ({ table, row }));
      expect(added.filter(({ row }) => belongsToAda(row, before))).toEqual([]);
    },
  );
});

/** Names of input fields and arguments of a mutation that take an id. */
function idNames(field: (typeof mutations)[number]): string[] {
  const found = new Set<string>();
  const look = (type: unknown, depth: number) => {
    const text = String(type).replace(/[![\]]/g, '');
    const named = types[text];
    if (named && 'getFields' in named && depth < 4)
      for (const each of Object.values(named.getFields())) {
        if (isId(each.name)) found.add(each.name);
        look(each.type, depth + 1);
      }
  };
  for (const arg of field.args) {
    if (isId(arg.name)) found.add(arg.name);
    look(arg.type, 0);
  }
  found.delete('organizationId');
  return [...found];
}

const elsewhere = (): Words =>
  Object.fromEntries(
    Object.entries(words)
      .filter(([name]) => /entity/i.test(name))
      .map(([name]) => [name, 'nobody']),
  );

/** An id of the same make of something that is not there. */
function nobodys(id: string): string {
  if (/^[A-Za-z0-9+/=_-]+$/.test(id) && Buffer.from(id, 'base64').toString('base64') === id)
    return Buffer.from(
      Buffer.from(id, 'base64')
        .toString()
        // Whole numbers only: the names of sweeps and runs are drawn by lot and may begin with a digit.
        .replace(/(?<=:)\d+(?=:|$)/g, '999999')
        .replaceAll(':ada', ':nobody'),
    ).toString('base64');
  return /^\d+$/.test(id) ? '999999' : `${id}x`;
}

function plainWords(answer: { data: unknown; errors?: { message: string }[] }, over: Words): string {
  const given = Object.values(over).map(String);
  const parts = given.flatMap((id) => Buffer.from(id, 'base64').toString().split(':').slice(1));
  const values = [...given, ...parts.filter((part) => /^\w{3,}$/.test(part)), 'ada', 'nobody', '999999'];
  values.sort((a, b) => b.length - a.length);
  const message = (answer.errors ?? [])
    .map(({ message: text }) => values.reduce((plain, value) => plain.replaceAll(value, '…'), text))
    .join(' ');
  return `${message === '' ? JSON.stringify(answer.data) : message}`;
}

function belongsToAda(row: Record<string, unknown>, before: Awaited<ReturnType<typeof rows>>): boolean {
  const owned = (table: string) =>
    new Set(
      [...before.values()]
        .filter((each) => each.table === table && JSON.stringify(each.row).includes(mark))
        .map(({ row: of }) => of['id']),
    );
  return (
    row['entity_id'] === api.entityId ||
    owned('project').has(row['project_id']) ||
    owned('run').has(row['run_id']) ||
    owned('artifact_collection').has(row['collection_id']) ||
    owned('artifact').has(row['artifact_id'])
  );
}
