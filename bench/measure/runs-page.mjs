// A page of 50 runs with its count, as wandb.Api().runs asks for it, over 10,000 and 100,000 runs of one project, with filters of each kind.
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { distribution, median } from '../lib/numbers.mjs';
import { Stack } from '../lib/stack.mjs';

const query = `query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int = 50, $order: String, $filters: JSONString) {
  project(name: $project, entityName: $entity) {
    internalId runCount(filters: $filters) readOnly
    runs(filters: $filters, after: $cursor, first: $perPage, order: $order) {
      edges { node { projectId id tags name displayName sweepName state group jobType commit readOnly createdAt heartbeatAt description notes historyLineCount user { name username } } cursor }
      pageInfo { endCursor hasNextPage }
    }
  }
}`;

/** Of 100,000 runs: how many each is about. The expected counts follow from what is filled in. */
const cases = [
  { id: 'all', what: 'no filter', filters: {}, expected: (n) => n },
  { id: 'state', what: 'state', filters: { state: 'crashed' }, expected: (n) => n / 50 },
  {
    id: 'config',
    what: 'a config value that a tenth have',
    filters: { 'config.optimizer': 'adam-3' },
    expected: (n) => n / 10,
  },
  {
    id: 'summary',
    what: 'a range of a summary value, half of them',
    filters: { 'summary_metrics.loss': { $lt: 0.5 } },
    expected: (n) => n / 2,
  },
  { id: 'rare', what: 'a config value that one has', filters: { 'config.seed': 777 }, expected: () => 1 },
  {
    id: 'regex',
    what: 'a pattern on names',
    filters: { display_name: { $regex: '^run-.*77$' } },
    expected: (n) => n / 100,
  },
  { id: 'tags', what: 'tags', filters: { tags: { $in: ['best'] } }, expected: (n) => n / 20 },
  {
    id: 'mixed',
    what: 'state, config and summary together',
    filters: {
      $and: [
        { state: 'finished' },
        { 'config.optimizer': { $in: ['adam-1', 'adam-2'] } },
        { $or: [{ 'summary_metrics.loss': { $gt: 0.9 } }, { 'summary_metrics.accuracy': { $exists: false } }] },
      ],
    },
  },
  { id: 'order', what: 'ordered by a summary value', filters: { state: 'finished' }, order: '-summary_metrics.loss' },
];

export async function runsPage({ quick }) {
  const sizes = quick ? [1_000] : [10_000, 100_000];
  const stack = await Stack.start({ args: ['--no-agent'] });
  try {
    const { url, key, entity } = stack;
    const cpuMs = () => {
      const { server, postgres } = stack.cpuMs();
      return server + postgres;
    };
    const databaseUrl = stack.databaseUrl();
    return await measurePages({ url, key, entity, databaseUrl, cpuMs, sizes, times: quick ? 3 : 15 });
  } finally {
    await stack.stop();
  }
}

/** Against any API and its database; `cpuMs` says what the two have used so far. */
async function measurePages({ url, key, entity, databaseUrl, cpuMs, sizes, times }) {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const found = {};
    const cpu = {};
    const filledMs = {};
    const keptMs = {};
    const firstMs = {};
    for (const size of sizes) {
      const begunAt = performance.now();
      await fill(database, entity, `runs-${size}`, size);
      filledMs[size] = performance.now() - begunAt;
      const once = async ({ id, filters, order, expected }) => {
        const variables = {
          project: `runs-${size}`,
          entity,
          order: order ?? '+created_at',
          filters: JSON.stringify(filters),
        };
        const at = performance.now();
        const answer = await ask({ url, key }, variables);
        const took = performance.now() - at;
        const { runCount, runs } = answer.data.project;
        if (expected && Math.abs(runCount - expected(size)) > size / 100)
          throw new Error(`${id}: ${runCount} runs match, about ${expected(size)} should`);
        if (runs.edges.length !== Math.min(runCount, 50)) throw new Error(`${id}: a page of ${runs.edges.length}`);
        return took;
      };
      for (const each of cases) firstMs[`${each.id}.${size}`] = await once(each);
      await keysAreKept(database);
      keptMs[size] = performance.now() - begunAt - filledMs[size];
      for (const each of cases) {
        const ms = [];
        // Twice to warm up.
        for (let n = 0; n < 2; n++) await once(each);
        const before = cpuMs();
        for (let n = 0; n < times; n++) ms.push(await once(each));
        found[`${each.id}.${size}`] = ms;
        cpu[`${each.id}.${size}`] = (cpuMs() - before) / times;
      }
    }
    return {
      rows: sizes.flatMap((size) =>
        cases.map(({ id, what }) => {
          const ms = found[`${id}.${size}`];
          return {
            id: `runsPage.${id}${size / 1000}kMs`,
            what: `page and count of ${size.toLocaleString('en')} runs: ${what}`,
            value: median(ms),
            unit: 'ms',
            design: '< 200',
            note: `n = ${ms.length}, p95 ${distribution(ms).p95.toFixed(0)}, asked first: ${firstMs[`${id}.${size}`].toFixed(0)}; CPU of API and PostgreSQL ${cpu[`${id}.${size}`].toFixed(0)}`,
          };
        }),
      ),
      detail: { found, cpu, filledMs, keptMs, firstMs },
    };
  } finally {
    await database.end();
  }
}

/** What the first questions asked for is prepared in the background (decision 0011). */
async function keysAreKept(database) {
  for (;;) {
    const { rows } = await database.query("select 1 from run_key where state = 'filling'");
    if (rows.length === 0) return;
    await wait(100);
  }
}

/** Runs with 30 config values and 30 summary values each, as clients wrap them. */
async function fill(database, entity, project, count) {
  const { rows } = await database.query(
    'insert into project (entity_id, name) select id, $2 from entity where name = $1 returning id',
    [entity, project],
  );
  const step = 5_000;
  for (let from = 0; from < count; from += step) {
    await database.query(
      `insert into run (project_id, name, display_name, state, tags, config, summary, created_at, heartbeat_at)
       select $1, 'r' || i, 'run-' || i, case when i % 50 = 0 then 'crashed' else 'finished' end,
         case when i % 20 = 0 then '{best,kept}'::text[] else '{}' end,
         ((select jsonb_object_agg('param_' || k, jsonb_build_object('value', case k % 3 when 0 then to_jsonb(k * 0.1) when 1 then to_jsonb('text value ' || k) else to_jsonb(k) end)) from generate_series(1, 27) k)
           || jsonb_build_object('lr', jsonb_build_object('value', random() + i * 0), 'seed', jsonb_build_object('value', i), 'optimizer', jsonb_build_object('value', 'adam-' || i % 10),
                '_wandb', '{"value": {"cli_version": "0.31.0", "python_version": "3.11", "t": {"1": [1, 5], "2": [1, 5], "3": [13, 16], "12": "0.31.0"}}}'::jsonb))::text,
         ((select jsonb_object_agg('metric_' || k, k * 0.01) from generate_series(1, 26) k)
           || jsonb_build_object('loss', (i * 7919 % 100000) / 100000.0, 'accuracy', random() + i * 0, '_step', 1000, '_wandb', '{"runtime": 12}'::jsonb))::text,
         now() - (($3::int - i) * interval '10 s'), now()
       from generate_series($2::int + 1, least($2::int + ${step}, $3::int)) i`,
      [rows[0].id, from, count],
    );
  }
  await database.query('vacuum (analyze) run, run_face, run_config, run_summary');
}

function ask({ url, key }, variables) {
  const body = JSON.stringify({ query, variables, operationName: '' });
  return new Promise((resolve, reject) => {
    const req = request(
      `${url}/graphql`,
      {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}`,
        },
      },
      (res) => {
        let text = '';
        res.on('data', (chunk) => (text += chunk));
        res.on('error', reject);
        res.on('end', () => {
          const answer = JSON.parse(text);
          if (answer.errors) reject(new Error(JSON.stringify(answer.errors)));
          else resolve(answer);
        });
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}
