import { sql, type RawBuilder } from 'kysely';
import type { Json } from '../domain/extended-json.js';
import type { RunKey, RunOrder, TimeColumn } from '../domain/run-filter-keys.js';
import type { RunFilter, RunTest } from '../domain/run-filter.js';
import type { Picks, ValueKey } from './run-keys.js';
import { storable } from './text.js';

/**
 * Filters as SQL over `run_face` (f), `run_config` (c), `run_summary` (s), `run` and `user_account` (u). Values and paths are parameters, columns come from a closed
 * list: nothing of a client's text ever becomes SQL.
 */
type Condition = RawBuilder<boolean>;
type Test<Op extends RunTest['op']> = Extract<RunTest, { op: Op }>;

/** How the values that a filter tests are found. */
export interface Ways {
  /** Values that lie in `run_face`, not only in their document. */
  picks: Picks;
  /** Tests that ask the index over all configs. */
  indexed: ReadonlySet<RunTest>;
  /** A test whose runs are known already, and few: no others need to be looked at. */
  among: { test: RunTest; runIds: number[] } | undefined;
}

export const plainWays: Ways = { picks: () => undefined, indexed: new Set(), among: undefined };

/** Which tables a question looks at. Each knows a run's project and age; rows of `run` itself are wide, and left alone where they can be. */
export interface Tables {
  face: boolean;
  run: boolean;
  config: boolean;
  summary: boolean;
  user: boolean;
  ways: Ways;
}

export const isValueKey = (key: RunKey): key is ValueKey => key.kind === 'config' || key.kind === 'summary';

export function forEachTest(filter: RunFilter, visit: (key: RunKey, test: RunTest) => void): void {
  if (filter.is === 'test') visit(filter.key, filter.test);
  else if (filter.is === 'not') forEachTest(filter.of, visit);
  else for (const each of filter.of) forEachTest(each, visit);
}

export function tablesOf(filter: RunFilter | undefined, order: RunOrder | undefined, ways: Ways): Tables {
  const tables = { face: false, run: false, config: false, summary: false, user: false, ways };
  const add = (key: RunKey, test?: RunTest) => {
    if (test && test === ways.among?.test) return;
    if (isValueKey(key))
      tables[(test && ways.indexed.has(test)) || ways.picks(key) === undefined ? key.kind : 'face'] = true;
    else if (key.kind === 'tags' || (key.kind === 'text' && key.column in faceColumns)) tables.face = true;
    // The age of a run is in each of them.
    else if (key.kind !== 'time' || key.column !== 'created_at') tables.run = true;
    if (key.kind === 'text' && key.column === 'username') tables.user = true;
  };
  if (filter) forEachTest(filter, add);
  if (order) add(order.key);
  if (!tables.config && !tables.summary && !tables.run) tables.face = true;
  return tables;
}

const bases = {
  face: { table: sql`run_face as f`, alias: sql`f`, id: sql<number>`f.run_id`, createdAt: sql<Date>`f.created_at` },
  config: { table: sql`run_config as c`, alias: sql`c`, id: sql<number>`c.run_id`, createdAt: sql<Date>`c.created_at` },
  summary: {
    table: sql`run_summary as s`,
    alias: sql`s`,
    id: sql<number>`s.run_id`,
    createdAt: sql<Date>`s.created_at`,
  },
  run: { table: sql`run`, alias: sql`run`, id: sql<number>`run.id`, createdAt: sql<Date>`run.created_at` },
};
type Base = (typeof bases)['run'];
const kinds = ['face', 'config', 'summary', 'run'] as const;

export const basesOf = (tables: Tables): Base[] => kinds.filter((kind) => tables[kind]).map((kind) => bases[kind]);

/** The table that says which run it is and how old. */
export const baseOf = (tables: Tables): Base => basesOf(tables)[0] ?? bases.run;

/** The runs of a project in the tables that are looked at. */
export function runsSql(tables: Tables, projectId: number): RawBuilder<unknown> {
  const { table, id } = baseOf(tables);
  const named = basesOf(tables);
  const joined = named.slice(1).map((other) => sql`join ${other.table} on ${other.id} = ${id}`);
  if (tables.user) joined.push(sql`left join user_account as u on u.id = f.user_id`);
  // Said of each table, so that each may be gone through by itself.
  const { among } = tables.ways;
  const ofProject = named.map(({ alias, id: run }) => {
    const own = sql`${alias}.project_id = ${projectId}`;
    return among ? sql`${own} and ${run} = any(${among.runIds}::int[])` : own;
  });
  return sql`from ${table} ${sql.join(joined, sql` `)} where ${sql.join(ofProject, sql` and `)}`;
}

export function filterSql(filter: RunFilter | undefined, tables: Tables): Condition {
  return filter ? compile(filter, tables, false) : sql`true`;
}

/** Below a "not", unknown must be false before it is turned round; elsewhere it may stay unknown, so that indexes can be used. */
function compile(filter: RunFilter, tables: Tables, inNot: boolean): Condition {
  switch (filter.is) {
    case 'and':
    case 'or': {
      const parts = filter.of.map((each) => sql`(${compile(each, tables, inNot)})`);
      if (parts.length === 0) return filter.is === 'and' ? sql`true` : sql`false`;
      return sql`${sql.join(parts, filter.is === 'and' ? sql` and ` : sql` or `)}`;
    }
    case 'not':
      return sql`not coalesce((${compile(filter.of, tables, true)}), false)`;
    case 'test': {
      const condition = testSql(filter.key, filter.test, tables);
      return inNot ? sql`coalesce((${condition}), false)` : condition;
    }
  }
}

function testSql(key: RunKey, test: RunTest, tables: Tables): Condition {
  if (test === tables.ways.among?.test) return sql`true`;
  switch (key.kind) {
    case 'tags':
      return tagsSql(test);
    case 'text':
      return textSql(columns[key.column], test);
    case 'time':
      return timeSql(timeColumn(key.column, tables), test);
    case 'number':
      return numberSql(duration, test);
    case 'config':
    case 'summary':
      return jsonSql(key, test, tables);
  }
}

const faceColumns = {
  name: sql<string>`f.name`,
  display_name: sql<string>`f.display_name`,
  state: sql<string>`f.state`,
  group_name: sql<string>`f.group_name`,
  job_type: sql<string>`f.job_type`,
  sweep_name: sql<string>`coalesce(f.sweep_name, '')`,
  username: sql<string>`coalesce(u.username, '')`,
};
const columns = {
  ...faceColumns,
  host: sql<string>`run.host`,
  program: sql<string>`run.program`,
  commit: sql<string>`run.commit`,
  notes: sql<string>`run.notes`,
  description: sql<string>`run.description`,
};
const laterTimes = {
  heartbeat_at: sql<Date>`run.heartbeat_at`,
  updated_at: sql<Date>`coalesce(run.ended_at, run.heartbeat_at)`,
};
const timeColumn = (column: TimeColumn, tables: Tables): RawBuilder<Date> =>
  column === 'created_at' ? baseOf(tables).createdAt : laterTimes[column];
const duration = sql<number>`extract(epoch from coalesce(run.ended_at, run.heartbeat_at) - run.created_at)::float8`;

const comparison = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` };

/** Text columns have '' where there is nothing. */
function textSql(column: RawBuilder<string>, test: RunTest): Condition {
  switch (test.op) {
    case 'eq':
      return sql`${column} = ${textOf(test.value)}`;
    case 'in':
    case 'all':
      return sql`${column} = any(${test.values.map(textOf)}::text[])`;
    case 'exists':
      return sql`${column} <> ''`;
    case 'regex':
      return matchesSql(column, test);
    case 'contains':
      return sql`position(${storable(test.value)} in ${column}) > 0`;
    default:
      // Whatever the database was made with: the order of code points, as in the values of config and summary.
      return sql`${column} <> '' and ${column} collate "C" ${comparison[test.op]} ${textOf(test.value)}`;
  }
}

/** What most people type has nothing of a pattern but its anchors and `.*`. LIKE says as much in a tenth of the time, but for `.` and the end of a line. */
function matchesSql(text: RawBuilder<unknown>, { pattern, source, ignoreCase }: Test<'regex'>): Condition {
  const matches = sql<boolean>`${text} ~ ${storable(pattern)}`;
  const simple = /^(\^?)([\w -]*(?:\.\*[\w -]*)*)(\$?)$/.exec(source);
  if (!simple || ignoreCase) return matches;
  const [, start, middle = '', end] = simple;
  const parts = middle.replaceAll('_', '\\_').replaceAll('.*', '%');
  const like = sql<boolean>`${text} like ${`${start ? '' : '%'}${parts}${end ? '' : '%'}`}`;
  return middle.includes('.*') ? sql`${like} and ${matches}` : like;
}

const textOf = (value: Json): string =>
  value === null ? '' : storable(typeof value === 'string' ? value : JSON.stringify(value));

function tagsSql(test: RunTest): Condition {
  const list = (values: Json[]) => sql`${values.map(textOf)}::text[]`;
  switch (test.op) {
    case 'eq':
      if (test.value === null) return sql`f.tags = '{}'`;
      if (Array.isArray(test.value)) return sql`f.tags @> ${list(test.value)} and f.tags <@ ${list(test.value)}`;
      return sql`f.tags @> ${list([test.value])}`;
    case 'in': {
      const some = sql<boolean>`f.tags && ${list(test.values.filter((value) => value !== null))}`;
      return test.values.includes(null) ? sql`(${some} or f.tags = '{}')` : some;
    }
    case 'all':
      return sql`f.tags @> ${list(test.values)}`;
    case 'exists':
      return sql`f.tags <> '{}'`;
    case 'regex':
      return sql`exists (select 1 from unnest(f.tags) as tag where ${matchesSql(sql`tag`, test)})`;
    case 'contains':
      return sql`f.tags @> ${list([test.value])}`;
    default:
      return sql`false`;
  }
}

/** Clients see milliseconds: a run is at the one that it is shown with. */
function timeSql(column: RawBuilder<Date>, test: RunTest): Condition {
  const next = (iso: Json) => sql`${textOf(iso)}::timestamptz + interval '1 ms'`;
  const at = (iso: Json) => sql`${textOf(iso)}::timestamptz`;
  const equal = (iso: Json): Condition =>
    iso === null ? sql`false` : sql`(${column} >= ${at(iso)} and ${column} < ${next(iso)})`;
  switch (test.op) {
    case 'eq':
      return equal(test.value);
    case 'in':
      return test.values.length === 0 ? sql`false` : sql`(${sql.join(test.values.map(equal), sql` or `)})`;
    case 'exists':
      return sql`true`;
    case 'gt':
      return sql`${column} >= ${next(test.value)}`;
    case 'gte':
      return sql`${column} >= ${at(test.value)}`;
    case 'lt':
      return sql`${column} < ${at(test.value)}`;
    case 'lte':
      return sql`${column} < ${next(test.value)}`;
    default:
      return sql`false`;
  }
}

function numberSql(column: RawBuilder<number>, test: RunTest): Condition {
  switch (test.op) {
    case 'eq':
      return test.value === null ? sql`false` : sql`${column} = ${test.value}::float8`;
    case 'in':
      return sql`${column} = any(${test.values.filter((value) => value !== null)}::float8[])`;
    case 'exists':
      return sql`true`;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return sql`${column} ${comparison[test.op]} ${test.value}::float8`;
    default:
      return sql`false`;
  }
}

const content = { config: sql`c.content`, summary: sql`s.content` };

/** `train.loss` is a key with a dot in it, or `loss` inside of `train`: clients make both, and ask for both in the same way. */
function inDocument(key: ValueKey): RawBuilder<unknown> {
  const literal = sql`${content[key.kind]} -> ${storable(key.path.join('.'))}::text`;
  if (key.path.length === 1) return sql`(${literal})`;
  return sql`coalesce(${literal}, ${content[key.kind]} #> ${key.path.map(storable)}::text[])`;
}

function valueAt(key: ValueKey, tables: Tables): RawBuilder<unknown> {
  const pick = tables.ways.picks(key);
  return pick ? sql`f.picked[${sql.lit(pick.place)}]` : inDocument(key);
}

/** Of a key that has nothing but numbers, in a column of them. */
function numberAt(key: ValueKey, tables: Tables): RawBuilder<number> | undefined {
  const pick = tables.ways.picks(key);
  return pick?.onlyNumbers ? sql`f.numbers[${sql.lit(pick.place)}]` : undefined;
}

function jsonSql(key: ValueKey, test: RunTest, tables: Tables): Condition {
  const isIndexed = tables.ways.indexed.has(test);
  const value = isIndexed ? inDocument(key) : valueAt(key, tables);
  const text = sql`(${value} #>> '{}')`;
  switch (test.op) {
    case 'eq':
      return isIndexed ? indexedSql(key, value, test.value) : equalSql(value, test.value);
    case 'in':
      return isIndexed ? anyIndexedSql(key, value, test) : inSql(value, test);
    case 'exists':
      return sql`${value} is not null`;
    case 'regex':
      return sql`jsonb_typeof(${value}) = 'string' and ${matchesSql(text, test)}`;
    case 'contains':
      return sql`case jsonb_typeof(${value}) when 'string' then position(${storable(test.value)} in ${text}) > 0
        when 'array' then ${value} @> ${jsonOf([test.value])}::jsonb else false end`;
    case 'all':
      return sql`false`;
    default:
      if (typeof test.value === 'number') {
        const number = numberAt(key, tables);
        return number
          ? sql`${number} ${comparison[test.op]} ${test.value}::float8`
          : sql`${value} ${comparison[test.op]} ${jsonOf(test.value)}::jsonb and ${isNumber(value, test.op)}`;
      }
      return sql`jsonb_typeof(${value}) = 'string' and ${text} <> 'NaN' and ${text} collate "C" ${comparison[test.op]} ${storable(test.value)}`;
  }
}

/**
 * Of values that are above or below a number: those that are numbers themselves. In the order of jsonb texts come before numbers and booleans behind
 * them. Inside of coalesce the planner takes it for half of the rows; a second comparison it would take for next to none.
 */
const isNumber = (value: RawBuilder<unknown>, op: 'gt' | 'gte' | 'lt' | 'lte'): Condition =>
  op === 'gt' || op === 'gte'
    ? sql`coalesce(${value} < 'false'::jsonb, false)`
    : sql`coalesce(${value} >= '-1e100000'::jsonb, false)`;

function equalSql(value: RawBuilder<unknown>, wanted: Json): Condition {
  if (wanted === null) return sql`(${value} is null or ${value} = 'null'::jsonb)`;
  return sql`${value} = ${jsonOf(wanted)}::jsonb`;
}

/** The index finds who has this value somewhere there; what is equal is said beside it. */
function indexedSql(key: ValueKey, value: RawBuilder<unknown>, wanted: Json): Condition {
  const equal = equalSql(value, wanted);
  const literal = { [key.path.join('.')]: wanted };
  const nested = key.path.reduceRight<Json>((inner, part) => ({ [part]: inner }), wanted);
  const holds = (object: Json) => sql`c.content @> ${jsonOf(object)}::jsonb`;
  return key.path.length === 1
    ? sql`(${holds(literal)} and coalesce(${equal}, false))`
    : sql`((${holds(literal)} or ${holds(nested)}) and coalesce(${equal}, false))`;
}

const anyIndexedSql = (key: ValueKey, value: RawBuilder<unknown>, { values }: Test<'in'>): Condition =>
  sql`(${sql.join(
    values.map((each) => indexedSql(key, value, each)),
    sql` or `,
  )})`;

function inSql(value: RawBuilder<unknown>, test: Test<'in'>): Condition {
  const some = sql<boolean>`${value} = any(${test.values.filter((each) => each !== null).map(jsonOf)}::jsonb[])`;
  return test.values.includes(null) ? sql`(${some} or ${value} is null or ${value} = 'null'::jsonb)` : some;
}

/** Infinity came in as a text (domain/extended-json.ts) and is a number beyond every double in the store. */
function jsonOf(value: Json): string {
  if (value === 'Infinity') return '1e309';
  if (value === '-Infinity') return '-1e309';
  return storable(JSON.stringify(value)).replace(/\\u(0000|d[89ab][0-9a-f]{2}|d[c-f][0-9a-f]{2})/gi, '\\ufffd');
}

/** What runs are sorted by, null where they have nothing (those come last either way), and its type. */
export function orderSql(
  order: RunOrder,
  tables: Tables,
): { by: RawBuilder<unknown>; cast: RawBuilder<unknown>; nullable: boolean } {
  const { key } = order;
  switch (key.kind) {
    case 'time':
      return { by: timeColumn(key.column, tables), cast: sql`timestamptz`, nullable: false };
    case 'number':
      return { by: duration, cast: sql`float8`, nullable: false };
    case 'text':
      return { by: sql`nullif(${columns[key.column]}, '')`, cast: sql`text`, nullable: true };
    case 'config':
    case 'summary': {
      const number = numberAt(key, tables);
      if (number) return { by: number, cast: sql`float8`, nullable: true };
      const value = valueAt(key, tables);
      // Objects and lists are not kept.
      if (tables.ways.picks(key) !== undefined)
        return { by: sql`nullif(nullif(${value}, '"NaN"'), 'null')`, cast: sql`jsonb`, nullable: true };
      const by = sql`(case jsonb_typeof(${value}) when 'number' then ${value} when 'boolean' then ${value} when 'string' then nullif(${value}, '"NaN"') end)`;
      return { by, cast: sql`jsonb`, nullable: true };
    }
  }
}
