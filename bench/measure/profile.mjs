// Where the time goes: statements in PostgreSQL (pg_stat_statements), and functions in the Node processes (V8's profiler). Both cost something
// themselves, so the rates printed here are lower than those of `full` and `accept`.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { root } from '../../scripts/support.mjs';
import { Load } from '../lib/load.mjs';
import { Stack } from '../lib/stack.mjs';
import { temporalOf, windowSize } from '../lib/temporal.mjs';
import { until } from '../lib/until.mjs';
import { selfTimes } from '../lib/v8-profile.mjs';
import { cpuWords } from './accept.mjs';
import { burst } from './full.mjs';

export async function profile({ quick }) {
  const count = quick ? 40 : 300;
  const acceptCount = quick ? 400 : 2_000;
  const folder = mkdtempSync(join(tmpdir(), 'davit-bench-profile-'));
  const stack = await Stack.start({ args: ['--no-agent'] });
  let load;
  let temporal;
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
    const lone = await stack.queue('nobody-serves');
    const job = await stack.noopJob();
    await stack.startNoopAgent({ name: 'noop', maxJobs: 16, queues: [queue], env });
    load = new Load(stack);
    temporal = await temporalOf(stack);
    for (let i = 0; i < 2; i++) await stack.ended(await stack.enqueue(queue, job));

    const { server, worker, noop } = stack.parts();
    const pids = { server, worker, agent: noop };
    const toggle = () => Object.values(pids).forEach((pid) => process.kill(pid, 'SIGUSR2'));
    await forget(stack);
    toggle();
    const run = await burst(stack, load, { queue, job, count });
    const throughStatements = await statementsOf(stack, count);
    toggle();
    const functions = await functionsOf(folder, pids);

    const body = { queue: lone, job };
    await load.enqueue({ body, count: windowSize + 100, clients: 32 });
    await temporal.untilOpen(windowSize);
    await forget(stack);
    const accepted = await load.enqueue({ body, count: acceptCount, clients: 32 });
    const acceptStatements = await statementsOf(stack, acceptCount);

    const { calls, ms } = sumOf(throughStatements);
    const accepting = sumOf(acceptStatements);
    return {
      rows: [
        {
          id: 'profile.perSecond',
          what: 'launches through, no-op target',
          value: run.perSecond,
          unit: '/s',
          note: `n = ${count}, under both profilers`,
        },
        { id: 'profile.statements', what: '… SQL statements a launch', value: calls, unit: '' },
        { id: 'profile.statementMs', what: '… time in them, waits for locks included', value: ms, unit: 'ms' },
        {
          id: 'profile.acceptPerSecond',
          what: 'launches accepted, 32 clients',
          value: accepted.perSecond,
          unit: '/s',
          note: `n = ${acceptCount}`,
        },
        { id: 'profile.acceptStatements', what: '… SQL statements a launch', value: accepting.calls, unit: '' },
        {
          id: 'profile.acceptStatementMs',
          what: '… time in them, waits for locks included',
          value: accepting.ms,
          unit: 'ms',
        },
      ],
      detail: { run, accepted, throughStatements, acceptStatements, functions },
      notes: [
        `CPU per launch: ${cpuWords(run.cpuMs)}`,
        'Statements of a launch from enqueue to end, by time (calls, ms):',
        ...top(throughStatements, 'ms'),
        '… by calls:',
        ...top(throughStatements, 'calls'),
        'Statements of an acceptance, by time:',
        ...top(acceptStatements, 'ms').slice(0, 8),
        ...Object.entries(functions).flatMap(([part, { wholeMs, places }]) => [
          `${part}: ${(wholeMs / count).toFixed(1)} ms a launch on its thread, waiting for a core included, of it:`,
          ...places
            .slice(0, 10)
            .map(([place, own]) => `  ${((own / wholeMs) * 100).toFixed(1).padStart(5)} %  ${place}`),
        ]),
      ],
    };
  } finally {
    temporal?.close();
    await load?.stop();
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const forget = (stack) => sql(stack, 'select pg_stat_statements_reset()');

/** Calls and milliseconds per launch. */
async function statementsOf(stack, launches) {
  const rows = await sql(
    stack,
    "select calls::int, total_exec_time as ms, query from pg_stat_statements where query not like '%pg_stat%'",
  );
  return rows.map(({ calls, ms, query }) => ({ calls: calls / launches, ms: ms / launches, query }));
}

const sumOf = (statements) => ({
  calls: statements.reduce((sum, one) => sum + one.calls, 0),
  ms: statements.reduce((sum, one) => sum + one.ms, 0),
});

const top = (statements, by) =>
  [...statements]
    .sort((a, b) => b[by] - a[by])
    .slice(0, 14)
    .map(({ calls, ms, query }) => {
      const line = query.replace(/\s+/g, ' ').trim().slice(0, 130);
      return `  ${calls.toFixed(2).padStart(6)} ${ms.toFixed(2).padStart(7)}  ${line}`;
    });

async function sql(stack, text) {
  const client = new pg.Client({ connectionString: stack.databaseUrl() });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Each process writes a file for each of its threads. */
async function functionsOf(folder, pids) {
  const functions = {};
  for (const [part, pid] of Object.entries(pids)) {
    const files = await until(`the profile of ${part}`, () => {
      const names = readdirSync(folder).filter((name) => name.startsWith(`${pid}.`) && name.endsWith('.cpuprofile'));
      return names.some((name) => name.startsWith(`${pid}.0.`)) && names;
    });
    for (const name of files) {
      const thread = name.split('.')[1];
      const profiled = selfTimes(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      functions[thread === '0' ? part : `${part}, thread ${thread}`] = profiled;
    }
  }
  return functions;
}
