// A queue with 1,000,000 waiting launches beside one with 100: what enqueue, look-ups, changes of the line and claims cost in each.
import pg from 'pg';
import { Load } from '../lib/load.mjs';
import { distribution, median, mib } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { until } from '../lib/until.mjs';

const shallowDepth = 100;

export async function million({ quick }) {
  const depth = quick ? 20_000 : 1_000_000;
  const cancelled = quick ? 500 : 10_000;
  const times = quick ? 10 : 50;
  const stack = await Stack.start({ args: ['--no-agent'] });
  const load = new Load(stack);
  const database = new pg.Client({ connectionString: stack.databaseUrl() });
  await database.connect();
  try {
    const job = await stack.noopJob();
    const queues = { shallow: await stack.queue('shallow'), deep: await stack.queue('deep') };
    await load.enqueue({ body: { queue: queues.shallow, job }, count: shallowDepth, clients: 4 });
    await load.enqueue({ body: { queue: queues.deep, job }, count: 1_000, clients: 8 });
    const before = stack.memory();
    const filledMs = await fill(database, queues.deep, depth - 1_000);
    await until(
      'the counters to be folded',
      async () => (await database.query('select 1 from line_change limit 1')).rowCount === 0,
      {
        limitMs: 120_000,
      },
    );
    await database.query('analyze launch');

    const found = {};
    // By turns, so that what else the machine does falls on both.
    for (const name of ['shallow', 'deep']) found[name] = { acceptPerSecond: [] };
    for (let round = 0; round < 3; round++) {
      for (const name of ['shallow', 'deep']) {
        const { perSecond } = await load.enqueue({
          body: { queue: queues[name], job, priority: 'low' },
          count: quick ? 60 : 1_000,
          clients: 32,
        });
        found[name].acceptPerSecond.push(perSecond);
        if (name === 'shallow') await trim(database, queues.shallow);
      }
    }
    const tails = {};
    for (const name of ['shallow', 'deep']) tails[name] = await tailOf(database, queues[name], times);
    for (const name of ['shallow', 'deep'])
      Object.assign(found[name], { positionMs: [], pageMs: [], linePageMs: [], frontMs: [], pickMs: [] });
    for (let n = 0; n < times; n++) {
      for (const name of ['shallow', 'deep']) {
        const queue = `${stack.entity}/${queues[name]}`;
        const id = tails[name][n % tails[name].length];
        found[name].positionMs.push(await timed(() => stack.show(id)));
        found[name].pageMs.push(await timed(() => stack.api.get(`/launches?queue=${queue}&limit=50`)));
        found[name].linePageMs.push(await timed(() => stack.api.get(`/launches?queue=${queue}&order=line&limit=50`)));
        found[name].frontMs.push(await timed(() => stack.api.post(`/launches/${id}/move`, { to: 'front' })));
        found[name].pickMs.push(
          await timed(() => database.query(`select line_pick(q, '{}') from queue q where name = $1`, [queues[name]])),
        );
      }
    }
    for (const name of ['shallow', 'deep'])
      found[name].gapsMs = await claimGaps(stack, load, queues[name], job, quick ? 12 : 60);
    for (const name of ['shallow', 'deep']) {
      const count = name === 'shallow' ? shallowDepth : cancelled;
      await load.enqueue({ body: { queue: queues[name], job, priority: 'low', name: 'unwanted' }, count, clients: 16 });
      found[name].cancel = await bulkCancel(stack, queues[name]);
    }
    const after = stack.memory();
    const row = (id, what, key, design, note) => ({
      id: `million.${id}Ratio`,
      what: `${what}: ${depth.toLocaleString('en')} waiting against ${shallowDepth}`,
      value: median(found.deep[key]) / median(found.shallow[key]),
      unit: '',
      design,
      note: `p50 ${median(found.deep[key]).toFixed(2)} against ${median(found.shallow[key]).toFixed(2)} ms, n = ${found.deep[key].length}${note ?? ''}`,
    });
    return {
      rows: [
        {
          id: 'million.acceptRatio',
          what: `accepted a second, 32 clients: ${depth.toLocaleString('en')} waiting against ${shallowDepth}`,
          value: median(found.deep.acceptPerSecond) / median(found.shallow.acceptPerSecond),
          unit: '',
          note: `${median(found.deep.acceptPerSecond).toFixed(0)} against ${median(found.shallow.acceptPerSecond).toFixed(0)} /s, median of 3`,
        },
        row('position', 'launch with its position, at the tail, over HTTP', 'positionMs', '≤ 3'),
        row('page', 'page of the newest 50', 'pageMs', '≤ 3'),
        row('linePage', 'page of the first 50 in line', 'linePageMs', '≤ 3'),
        row('front', 'move to the front', 'frontMs', '≤ 3'),
        row('pick', 'who is next, in the database', 'pickMs', '≤ 1.5'),
        row('claimGap', 'claim → next claim of one slot', 'gapsMs', '≤ 1.5'),
        {
          id: 'million.cancelSeconds',
          what: `bulk cancel of ${cancelled.toLocaleString('en')} among them`,
          value: found.deep.cancel.seconds,
          unit: 's',
          design: '≤ 120',
          note: `${found.deep.cancel.steps} looks at its progress; meanwhile an enqueue took p50 ${found.deep.cancel.enqueueMs.p50.toFixed(0)}, max ${found.deep.cancel.enqueueMs.max.toFixed(0)} ms (n = ${found.deep.cancel.enqueueMs.n})`,
        },
        ...['postgres', 'temporal', 'server', 'worker'].map((part) => ({
          id: `million.${part}MiB`,
          what: `memory of ${part} with ${depth.toLocaleString('en')} waiting`,
          value: mib(part === 'postgres' ? after[part].pss : after[part].rss),
          unit: 'MiB',
          note: `with 1,100 waiting: ${mib(part === 'postgres' ? before[part].pss : before[part].rss).toFixed(0)} MiB`,
        })),
      ],
      notes: [
        `Filled by copying one accepted launch in the database: ${depth.toLocaleString('en')} rows in ${(filledMs / 1000).toFixed(0)} s.`,
      ],
      detail: { depth, found, before, after, filledMs },
    };
  } finally {
    await database.end();
    await load.stop();
    await stack.stop();
  }
}

const timed = async (work) => {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
};

/** Copies of an accepted launch, as acceptance would have written them; the triggers count them. */
async function fill(database, queue, count) {
  const begunAt = performance.now();
  for (let done = 0; done < count; done += 50_000) {
    await database.query(
      `insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, job_artifact_id, spec, request, require_run)
       select 'm' || $2::int + n, 'launch/m' || $2::int + n, queue_id, project_id, author, 'queued', priority, nextval('line_rank') * 1048576,
         'm' || $2::int + n, job_artifact_id, spec, request, require_run
       from (select * from launch where queue_id = (select id from queue where name = $1) order by rank limit 1) one, generate_series(1, $3::int) n`,
      [queue, done, Math.min(50_000, count - done)],
    );
  }
  return performance.now() - begunAt;
}

/** The shallow queue stays shallow: what was accepted on top is taken out again. */
const trim = (database, queue) =>
  database.query(
    `delete from launch where queue_id = (select id from queue where name = $1) and state = 'queued' and priority = 3`,
    [queue],
  );

async function tailOf(database, queue, count) {
  const { rows } = await database.query(
    `select id from launch where queue_id = (select id from queue where name = $1) and state = 'queued' and not held
     order by priority desc, rank desc limit $2`,
    [queue, count],
  );
  return rows.map(({ id }) => id);
}

/** Times between claims of one slot with the no-op target, while the line stays about as long as it is. */
async function claimGaps(stack, load, queue, job, count) {
  const since = new Date().toISOString();
  if (queue === 'shallow') await load.enqueue({ body: { queue, job }, count, clients: 4 });
  const agent = await stack.startNoopAgent({ name: `noop-${queue}`, maxJobs: 1, queues: [queue] });
  const claimed = await until(
    `${count} launches of ${queue} to be claimed`,
    async () => {
      const { items } = await stack.api.get(`/launches?queue=${stack.entity}/${queue}&state=finished&limit=200`);
      return items.length >= count ? items : undefined;
    },
    { everyMs: 500, limitMs: 240_000 },
  );
  await stack.stopAgent(agent);
  const all = claimed
    .map(({ claimedAt }) => timeOf(claimedAt))
    .filter((time) => time >= timeOf(since))
    .sort((a, b) => a - b);
  return all.slice(1).map((time, i) => time - all[i]);
}

async function bulkCancel(stack, queue) {
  const begunAt = performance.now();
  const filter = { queue: `${stack.entity}/${queue}`, priority: 'low', state: 'queued' };
  const { id } = await stack.api.post('/bulk', { action: 'cancel', filter });
  const enqueueMs = [];
  let steps = 0;
  const job = `${stack.entity}/bench/noop:latest`;
  await until(
    'the bulk cancel to be done',
    async () => {
      enqueueMs.push(await timed(() => stack.enqueue(queue, job)));
      const { state } = await stack.api.get(`/bulk/${id}`);
      steps++;
      return state === 'done';
    },
    { everyMs: 50, limitMs: 600_000 },
  );
  return { seconds: (performance.now() - begunAt) / 1000, steps, enqueueMs: distribution(enqueueMs) };
}
