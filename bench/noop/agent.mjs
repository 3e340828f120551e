// The agent of the product with the no-op target in the place of the process target. Started by the benchmark, with the variables of `davit agent`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { root } from '../../scripts/support.mjs';
import { noopTarget } from './target.mjs';

const { startAgent } = await import(pathToFileURL(join(root, 'dist', 'workers', 'agent.js')).href);
const { env } = process;

const target = noopTarget();
const agent = await startAgent({
  apiUrl: env['DAVIT_URL'],
  apiKey: readFileSync(env['DAVIT_AGENT_KEY_FILE'], 'utf8').trim(),
  entity: env['DAVIT_ENTITY'],
  name: env['DAVIT_AGENT_NAME'],
  queues: env['DAVIT_QUEUES'].split(','),
  maxJobs: Number(env['DAVIT_MAX_JOBS']),
  workFolder: env['DAVIT_WORK_FOLDER'],
  environmentCacheFolder: env['DAVIT_ENVIRONMENT_CACHE_FOLDER'],
  version: 'bench',
  log: pino({ level: 'warn' }),
  targets: async () => ({
    get: () => target,
    report: { process: { place: await target.place(), ...(await target.check()) } },
    chargedTo: async () => new Set(),
  }),
});

let ending;
const end = () => (ending ??= agent.drain().then(() => process.exit(0)));
process.on('SIGTERM', end);
process.once('disconnect', end);
process.send({ kind: 'ready' });
agent.done.catch((error) => {
  console.error(error);
  process.exit(1);
});
