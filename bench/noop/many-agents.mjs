// Many agents in one process, each of its own queue, with the no-op target. Started by the benchmark.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { root } from '../../scripts/support.mjs';
import { noopTarget } from './target.mjs';

const { startAgent } = await import(pathToFileURL(join(root, 'dist', 'workers', 'agent.js')).href);
const { env } = process;
const target = noopTarget();
const names = env['BENCH_QUEUES'].split(',');

/** So many at once: each makes a connection and three workers. */
const atOnce = 10;
const agents = [];
const begunAt = performance.now();
const left = [...names];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let queue = left.shift(); queue !== undefined; queue = left.shift()) {
      agents.push(
        await startAgent({
          apiUrl: env['DAVIT_URL'],
          apiKey: readFileSync(env['DAVIT_AGENT_KEY_FILE'], 'utf8').trim(),
          entity: env['DAVIT_ENTITY'],
          name: `of-${queue}`,
          queues: [queue],
          maxJobs: 1,
          workFolder: env['DAVIT_WORK_FOLDER'],
          environmentCacheFolder: env['DAVIT_ENVIRONMENT_CACHE_FOLDER'],
          version: 'bench',
          log: pino({ level: 'error' }),
          targets: async () => ({
            get: () => target,
            report: { process: { place: await target.place(), ...(await target.check()) } },
            chargedTo: async () => new Set(),
          }),
        }),
      );
    }
  }),
);
process.send({ kind: 'ready', ms: performance.now() - begunAt });

let ending;
const end = () => (ending ??= Promise.allSettled(agents.map((agent) => agent.drain())).then(() => process.exit(0)));
process.on('SIGTERM', end);
process.once('disconnect', end);
for (const agent of agents)
  agent.done.catch((error) => {
    console.error(error);
    process.exit(1);
  });
