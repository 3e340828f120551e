// npm run test:faults [-- --seed N] [--launches N] [--minutes M] [--target docker]: thousands of launches while everything is killed, again and again.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { installPackages, needNode, programOf, runNode } from './support.mjs';

needNode();
const usage =
  'npm run test:faults [-- --seed N] [--launches N (2000)] [--minutes M (as long as the kills take)] [--target process|docker]';

function choices() {
  const options = {
    seed: { type: 'string' },
    launches: { type: 'string' },
    minutes: { type: 'string' },
    target: { type: 'string' },
  };
  try {
    const { values } = parseArgs({ options });
    const { target = 'process' } = values;
    if (!['process', 'docker'].includes(target)) throw new Error(`--target is process or docker, not "${target}"`);
    for (const [name, value] of Object.entries(values))
      if (name !== 'target' && !/^\d+(\.\d+)?$/.test(value))
        throw new Error(`--${name} wants a number, not "${value}"`);
    return values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}
const { seed = String(randomInt(1_000_000)), launches = '2000', minutes, target = 'process' } = choices();

installPackages();
const env = { ...process.env, DAVIT_FAULTS_SEED: seed, DAVIT_FAULTS_LAUNCHES: launches, DAVIT_FAULTS_TARGET: target };
if (minutes !== undefined) env.DAVIT_FAULTS_MINUTES = minutes;
const again = [
  'npm run test:faults -- --seed',
  seed,
  '--launches',
  launches,
  ...(target === 'process' ? [] : ['--target', target]),
];
console.log(
  `${[...again, ...(minutes === undefined ? [] : ['--minutes', minutes])].join(' ')}   repeats this run's choices`,
);
process.exitCode = await runNode([programOf('vitest'), 'run', '--config', 'test/faults/scale/run.config.ts'], { env });
