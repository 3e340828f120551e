// Where the time of a launch goes: statements in PostgreSQL (pg_stat_statements), and functions in the Node processes (V8's profiler). Both
// cost something themselves, so the rate printed here is lower than that of `full`.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { root } from '../../scripts/support.mjs';
import { Load } from '../lib/load.mjs';
import { Stack } from '../lib/stack.mjs';
import { cpuWords } from './accept.mjs';
import { until } from '../lib/until.mjs';
import { burst } from './full.mjs';

export async function profile({ quick }) {
  const count = quick ? 40 : 300;
  const folder = mkdtempSync(join(tmpdir(), 'davit-bench-profile-'));
  const stack = await Stack.start({ args: ['--no-agent'] });
  let load;
  try {
    await sql(stack, "alter system set shared_preload_libraries = 'pg_stat_statements'");
    await stack.down();
    const env = {
      NODE_OPTIONS: `--require=${join(root, 'bench', 'lib', 'profiler.cjs')}`,
      BENCH_PROFILE_FOLDER: folder,
    };
    stack.env = env;
    await stack.up();
    await sql(stack, 'create extension if not exists pg_stat_statements');
    const queue = await stack.queue('profile');
    const job = await stack.noopJob();
    await stack.startNoopAgent({ name: 'noop', maxJobs: 16, queues: [queue], env });
    load = new Load(stack);
    for (let i = 0; i < 2; i++) await stack.ended(await stack.enqueue(queue, job));
    await sql(stack, 'select pg_stat_statements_reset()');
    const { server, worker, noop } = stack.parts();
    const pids = { server, worker, agent: noop };
    const toggle = () => Object.values(pids).forEach((pid) => process.kill(pid, 'SIGUSR2'));
    toggle();
    const run = await burst(stack, load, { queue, job, count });
    const statements = await sql(
      stack,
      `select calls::int, total_exec_time as ms, query from pg_stat_statements where query not like '%pg_stat%' order by total_exec_time desc`,
    );
    toggle();
    const functions = {};
    for (const [part, pid] of Object.entries(pids)) {
      const files = await until(`the profile of ${part}`, () => {
        const names = readdirSync(folder).filter((name) => name.startsWith(`${pid}.`) && name.endsWith('.cpuprofile'));
        return names.some((name) => name.startsWith(`${pid}.0.`)) && names;
      });
      for (const name of files) {
        const profiled = selfTimes(JSON.parse(readFileSync(join(folder, name), 'utf8')));
        functions[name.includes('.0.') ? part : `${part}, thread ${name.split('.')[1]}`] = profiled;
      }
    }
    const calls = statements.reduce((sum, one) => sum + one.calls, 0);
    const ms = statements.reduce((sum, one) => sum + one.ms, 0);
    return {
      rows: [
        {
          id: 'profile.perSecond',
          what: 'launches through, no-op target, under both profilers',
          value: run.perSecond,
          unit: '/s',
          note: `n = ${count}`,
        },
        { id: 'profile.statements', what: 'SQL statements a launch', value: calls / count, unit: '' },
        { id: 'profile.statementMs', what: 'time in them, as PostgreSQL has it', value: ms / count, unit: 'ms' },
      ],
      detail: { run, statements, functions },
      notes: [
        `CPU per launch: ${cpuWords(run.cpuMs)}`,
        'Statements by time (calls a launch, ms a launch):',
        ...statements
          .slice(0, 14)
          .map(
            (one) =>
              `  ${(one.calls / count).toFixed(2).padStart(6)} ${(one.ms / count).toFixed(2).padStart(7)}  ${oneLine(one.query)}`,
          ),
        'Statements by calls:',
        ...[...statements]
          .sort((a, b) => b.calls - a.calls)
          .slice(0, 14)
          .map(
            (one) =>
              `  ${(one.calls / count).toFixed(2).padStart(6)} ${(one.ms / count).toFixed(2).padStart(7)}  ${oneLine(one.query)}`,
          ),
        ...Object.entries(functions).flatMap(([part, { wholeMs, places }]) => [
          `${part}: ${wholeMs.toFixed(0)} ms busy, of it:`,
          ...places
            .slice(0, 12)
            .map(([place, own]) => `  ${((own / wholeMs) * 100).toFixed(1).padStart(5)} %  ${place}`),
        ]),
      ],
    };
  } finally {
    await load?.stop();
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sql(stack, text) {
  const client = new pg.Client({ connectionString: stack.databaseUrl() });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim().slice(0, 130);

/** Self time of a profile, by package and by folder of ours. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const places = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let wholeMs = 0;
  samples.forEach((id, i) => {
    const frame = byId.get(id).callFrame;
    if (frame.functionName === '(idle)') return;
    const ms = timeDeltas[i] / 1000;
    wholeMs += ms;
    const place = placeOf(frame);
    places.set(place, (places.get(place) ?? 0) + ms);
  });
  return { wholeMs, places: [...places].sort((a, b) => b[1] - a[1]) };
}

function placeOf({ functionName, url }) {
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName}`;
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(url)?.[1];
  if (packageName) return packageName;
  const own = /\/dist\/([^/]+(?:\/[^/]+)?)/.exec(url)?.[1];
  if (own) return `dist/${own}`;
  return url.startsWith('node:') ? url.split('/').slice(0, 2).join('/') : url;
}
