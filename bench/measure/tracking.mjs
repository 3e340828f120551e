// What runs log: lines accepted by the file stream from 1 and from 50 runs at once, and curves read back out of 1,000,000 steps.
import pg from 'pg';
import { distribution, median, mib, quantile } from '../lib/numbers.mjs';
import { Stack } from '../lib/stack.mjs';

const project = 'tracking';

export async function tracking({ quick }) {
  const steps = quick ? 20_000 : 1_000_000;
  const stack = await Stack.start({ env: { DAVIT_AGENT: 'false' } });
  const wire = new Wire(stack);
  try {
    // A trainer that logs much: 100 metrics a step, 500 steps a request (1.2 MB).
    const one = await logging(stack, wire, { runs: 1, keys: 100, perRequest: 500, ms: quick ? 2_000 : 15_000 });
    const fifty = await logging(stack, wire, { runs: 50, keys: 100, perRequest: 50, ms: quick ? 2_000 : 15_000 });
    // One that logs little in each of many steps.
    const narrow = await logging(stack, wire, { runs: 50, keys: 1, perRequest: 500, ms: quick ? 2_000 : 15_000 });

    await wire.run('long');
    const fill = await filled(wire, 'long', { steps, keys: 10, perRequest: 2_000 });
    const curve = await timed(stack, 15, () => wire.curve('long', ['_step', 'key3'], 500));
    const window = await timed(stack, 15, () =>
      wire.curve('long', ['_step', 'key3'], 500, { minStep: steps / 2, maxStep: steps / 2 + steps / 10 }),
    );
    const whole = await timed(stack, 5, () => wire.sample('long', 500));
    const keys = await timed(stack, 5, () => wire.keys('long'));
    const rss = stack.memory().server.rss;
    const file = await exported(stack, wire, 'long');

    const hundred = Array.from({ length: 100 }, (_, i) => `many-${i}`);
    for (const name of hundred) {
      await wire.run(name);
      await filled(wire, name, { steps: quick ? 500 : 5_000, keys: 3, perRequest: 2_500 });
    }
    const manyRuns = await timed(stack, 7, () => wire.curves(hundred, ['_step', 'key1'], 200));
    const listed = await timed(stack, 7, () => wire.curvesOfProject(100, ['_step', 'key1'], 200));

    const pool = new pg.Pool({ connectionString: stack.databaseUrl(), max: 1 });
    const size = await pool.query(`select pg_total_relation_size('run_line') as lines,
      pg_total_relation_size('metric_chunk') as chunks, (select count(*) from run_line) as n from run limit 1`);
    await pool.end();

    return {
      rows: [
        ...loggingRows('tracking.one', '1 run, 100 metrics a step', one),
        ...loggingRows('tracking.fifty', '50 runs at once, 100 metrics a step', fifty),
        ...loggingRows('tracking.narrow', '50 runs at once, 1 metric a step', narrow),
        row('tracking.curveMs', `curve of ${steps} steps, 500 samples, first byte, p50`, curve, '< 300'),
        { id: 'tracking.curveP95Ms', what: '… p95', value: quantile(curve.ms, 0.95), unit: 'ms' },
        row('tracking.windowMs', 'a tenth of it, 500 samples, p50', window),
        row('tracking.wholeMs', '500 whole lines of it, p50', whole),
        row('tracking.keysMs', 'its keys with kinds and last values, p50', keys),
        {
          id: 'tracking.exportMs',
          what: `its ${steps} steps as a parquet file, when first asked for`,
          value: file.ms,
          unit: 'ms',
          note: `${mib(file.bytes).toFixed(0)} MiB; API at ${file.rssMiB.toFixed(0)} MiB at most, ${mib(rss).toFixed(0)} before; CPU of API and PostgreSQL ${file.cpuMs.toFixed(0)}`,
        },
        row('tracking.runsMs', '100 runs × 1 key, 200 samples, one request a run, 8 at a time, p50', manyRuns),
        row('tracking.projectMs', '100 runs × 1 key, 200 samples, one request, p50', listed),
        {
          id: 'tracking.serverMiB',
          what: 'memory of the API after all this',
          value: mib(rss),
          unit: 'MiB',
          note: `highest while logging ${Math.max(one.rssMiB, fifty.rssMiB, narrow.rssMiB, fill.rssMiB).toFixed(0)} MiB`,
        },
      ],
      notes: [
        `The store holds ${size.rows[0].n} lines: ${mib(size.rows[0].lines).toFixed(0)} MiB, and ${mib(size.rows[0].chunks).toFixed(0)} MiB of chunks.`,
      ],
      detail: { one, fifty, narrow, fill, curve, window, whole, keys, file, manyRuns, listed, size: size.rows[0] },
    };
  } finally {
    await stack.stop();
  }
}

const row = (id, what, { ms, cpuMs }, design) => ({
  id,
  what,
  value: median(ms),
  unit: 'ms',
  ...(design === undefined ? {} : { design }),
  note: `n = ${ms.length}, highest ${distribution(ms).max.toFixed(0)}, CPU of API and PostgreSQL ${cpuMs.toFixed(0)}`,
});

function loggingRows(id, what, result) {
  return [
    { id: `${id}.linesPerSecond`, what: `lines accepted, ${what}`, value: result.linesPerSecond, unit: '/s' },
    {
      id: `${id}.valuesPerSecond`,
      what: '… values',
      value: result.valuesPerSecond,
      unit: '/s',
      design: '≥ 50,000',
      note: `answer p50 ${result.answerMs.p50.toFixed(0)} ms, p95 ${result.answerMs.p95.toFixed(0)} ms`,
    },
    {
      id: `${id}.valuesPerCpuSecond`,
      what: '… values for a second of CPU',
      value: result.valuesPerCpuSecond,
      unit: '',
      note: 'API and PostgreSQL together: holds beside other programs too',
    },
    {
      id: `${id}.serverCores`,
      what: '… cores busy in the API',
      value: result.cores.server,
      unit: '',
      note: `PostgreSQL ${result.cores.postgres.toFixed(2)}; API at ${result.rssMiB.toFixed(0)} MiB at most`,
    },
  ];
}

/** Runs that send a request as soon as the last one is answered. */
async function logging(stack, wire, { runs, keys, perRequest, ms }) {
  const names = Array.from({ length: runs }, (_, i) => `log-${runs}-${keys}-${i}`);
  for (const name of names) await wire.run(name);
  let lines = 0;
  let rssMiB = 0;
  const answers = [];
  const watch = setInterval(() => (rssMiB = Math.max(rssMiB, mib(stack.memory().server.rss))), 500);
  const cpu = stack.cpuMs();
  const begun = performance.now();
  await Promise.all(
    names.map(async (name) => {
      for (let offset = 0; performance.now() - begun < ms; offset += perRequest) {
        const body = linesOf(offset, perRequest, keys);
        const sent = performance.now();
        await wire.stream(name, body);
        answers.push(performance.now() - sent);
        lines += perRequest;
      }
    }),
  );
  const took = performance.now() - begun;
  clearInterval(watch);
  const after = stack.cpuMs();
  const cpuMs = after.server + after.postgres - cpu.server - cpu.postgres;
  return {
    linesPerSecond: (lines * 1000) / took,
    // With _step, _timestamp and _runtime, which every line has.
    valuesPerSecond: (lines * (keys + 3) * 1000) / took,
    valuesPerCpuSecond: (lines * (keys + 3) * 1000) / cpuMs,
    answerMs: distribution(answers),
    cores: Object.fromEntries(Object.keys(cpu).map((name) => [name, (after[name] - cpu[name]) / took])),
    rssMiB: Math.max(rssMiB, mib(stack.memory().server.rss)),
  };
}

async function filled(wire, name, { steps, keys, perRequest }) {
  const begun = performance.now();
  let rssMiB = 0;
  for (let offset = 0; offset < steps; offset += perRequest) {
    await wire.stream(name, linesOf(offset, Math.min(perRequest, steps - offset), keys));
    if ((offset / perRequest) % 50 === 0) rssMiB = Math.max(rssMiB, mib(wire.stack.memory().server.rss));
  }
  await wire.post(wire.streamPath(name), JSON.stringify({ complete: true, exitcode: 0 }));
  return { ms: performance.now() - begun, rssMiB };
}

/** Until the file is there, however often that takes asking. */
async function exported(stack, wire, name) {
  let rssMiB = 0;
  const watch = setInterval(() => (rssMiB = Math.max(rssMiB, mib(stack.memory().server.rss))), 200);
  const cpu = stack.cpuMs();
  const begun = performance.now();
  let urls = [];
  for (let asked = 0; urls.length === 0; asked++) {
    if (asked === 20) throw new Error(`no file of ${name}`);
    urls = await wire.files(name);
  }
  const ms = performance.now() - begun;
  clearInterval(watch);
  const after = stack.cpuMs();
  const head = await fetch(urls[0], { method: 'HEAD' });
  return {
    ms,
    rssMiB,
    cpuMs: after.server + after.postgres - cpu.server - cpu.postgres,
    bytes: Number(head.headers.get('content-length')),
  };
}

const noise = Array.from({ length: 997 }, (_, i) => Number(Math.sin(i * 12.9898).toFixed(9)));

function linesOf(offset, count, keys) {
  const content = [];
  for (let step = offset; step < offset + count; step++) {
    const values = [];
    for (let key = 0; key < keys; key++) values.push(`"key${key}":${noise[(step * 7 + key) % 997]}`);
    content.push(`{${values.join(',')},"_step":${step},"_runtime":${step / 1000},"_timestamp":${1.8e9 + step / 1000}}`);
  }
  return JSON.stringify({ files: { 'wandb-history.jsonl': { offset, content } } });
}

/**
 * Milliseconds until the head of the answer is there, `times` times, one after another, and the CPU time of one of API and PostgreSQL. The first
 * one warms up and is not counted.
 */
async function timed(stack, times, ask) {
  const used = () => {
    const { server, postgres } = stack.cpuMs();
    return server + postgres;
  };
  await ask();
  const before = used();
  const ms = [];
  for (let i = 0; i < times; i++) ms.push(await ask());
  return { ms, cpuMs: (used() - before) / times };
}

/** As wandb clients ask. */
class Wire {
  constructor(stack) {
    this.stack = stack;
    this.headers = {
      'Content-Type': 'application/json',
      Authorization: `Basic ${Buffer.from(`api:${stack.key}`).toString('base64')}`,
    };
  }
  streamPath = (name) => `/files/${this.stack.entity}/${project}/${name}/file_stream`;

  async post(path, body) {
    const begun = performance.now();
    const res = await fetch(this.stack.url + path, { method: 'POST', headers: this.headers, body });
    const ms = performance.now() - begun;
    const text = await res.text();
    if (res.status !== 200 || text.includes('"errors"'))
      throw new Error(`${path}: ${res.status} ${text.slice(0, 500)}`);
    return { ms, text };
  }
  stream = (name, body) => this.post(this.streamPath(name), body);
  async graphql(query, variables) {
    const { ms, text } = await this.post('/graphql', JSON.stringify({ query, variables }));
    return { ms, data: JSON.parse(text).data };
  }
  run = (name) =>
    this.graphql('mutation M($n: String, $p: String) { upsertBucket(input: {name: $n, modelName: $p}) { inserted } }', {
      n: name,
      p: project,
    });

  async #ofRun(name, field, variables = {}, declare = '') {
    const { ms, data } = await this.graphql(
      `query Q($p: String!, $e: String!, $n: String!${declare}) { project(name: $p, entityName: $e) { run(name: $n) { ${field} } } }`,
      { p: project, e: this.stack.entity, n: name, ...variables },
    );
    return { ms, run: data.project.run };
  }
  async curve(name, keys, samples, range = {}) {
    const specs = [JSON.stringify({ keys, samples, ...range })];
    const { ms, run } = await this.#ofRun(name, 'sampledHistory(specs: $specs)', { specs }, ', $specs: [JSONString!]!');
    if (run.sampledHistory[0].length !== samples) throw new Error(`${run.sampledHistory[0].length} samples of ${name}`);
    return ms;
  }
  async sample(name, samples) {
    return (await this.#ofRun(name, 'history(samples: $samples)', { samples }, ', $samples: Int')).ms;
  }
  async keys(name) {
    return (await this.#ofRun(name, 'historyKeys')).ms;
  }
  async files(name) {
    return (await this.#ofRun(name, 'parquetHistory(liveKeys: ["_step"]) { parquetUrls }')).run.parquetHistory
      .parquetUrls;
  }
  async curves(names, keys, samples) {
    const begun = performance.now();
    const left = [...names];
    const work = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await this.curve(name, keys, samples);
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return performance.now() - begun;
  }
  async curvesOfProject(count, keys, samples) {
    const { ms, data } = await this.graphql(
      `query Q($p: String!, $e: String!, $first: Int, $specs: [JSONString!]!) { project(name: $p, entityName: $e) {
        runs(first: $first, order: "-created_at") { edges { node { name sampledHistory(specs: $specs) } } } } }`,
      { p: project, e: this.stack.entity, first: count, specs: [JSON.stringify({ keys, samples })] },
    );
    const curves = data.project.runs.edges.map(({ node }) => node.sampledHistory[0].length);
    if (curves.length !== count || curves.some((n) => n !== samples)) throw new Error(`curves of ${curves}`);
    return ms;
  }
}
