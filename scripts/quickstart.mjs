// npm run quickstart [-- --exit]: from a fresh clone to a finished, tracked launch. Plain Node: it installs what the rest needs.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installPackages, needNode, root, run, runNode } from './support.mjs';

const leaves = process.argv.includes('--exit');
const unknown = process.argv.slice(2).filter((arg) => arg !== '--exit');
if (unknown.length > 0) {
  console.error(`quickstart does not know ${unknown.join(' ')}; it takes --exit, to end after the launch.`);
  process.exit(2);
}

const begunAtMs = Date.now();
needNode();
installPackages();
const { build } = await import('./build.mjs');
const { findPython } = await import('./backends.mjs');
const python = await findPython();
if (!python.ok) {
  console.error(`The example is a Python script, and there is ${python.what}.`);
  process.exit(1);
}
const built = await build().catch((error) => {
  console.error(`build failed: ${error.message}`);
  process.exit(1);
});
if (built.done.length > 0) console.error(`Built in ${built.seconds.toFixed(1)} s`);

const davit = join(root, 'dist', 'cli', 'main.js');
// What a shell has set for another server must not lead the commands there.
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !['DAVIT_URL', 'DAVIT_API_KEY', 'WANDB_BASE_URL', 'WANDB_API_KEY'].includes(name),
  ),
);

let up;
let upCode;
let interrupted = false;
// A Ctrl-C reaches the stack by itself, because it shares our terminal; a signal sent to us alone is handed on.
process.on('SIGINT', () => (interrupted = true));
process.on('SIGTERM', () => {
  interrupted = true;
  up?.kill('SIGTERM');
});

const stack = (await runningStack()) ?? (await startStack());
const exitCode = interrupted ? 130 : await launchExample(stack);

async function runningStack() {
  const { code, stdout } = await run(process.execPath, [davit, 'env', '--json'], { env });
  if (code !== 0) return undefined;
  const found = JSON.parse(stdout);
  try {
    const answer = await fetch(`${found.DAVIT_URL}/readyz`, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) return undefined;
  } catch {
    // It is starting or stopping: starting another one says who holds the folder.
    return undefined;
  }
  console.error(`Using the stack that runs already at ${found.DAVIT_URL}`);
  return { url: found.DAVIT_URL, key: found.DAVIT_API_KEY };
}

/** `davit up` as our child. The channel tells us when it is ready, and tells it when we are gone. */
async function startStack() {
  up = spawn(process.execPath, [davit, 'up'], {
    cwd: root,
    env: { ...env, DAVIT_SUPERVISOR_PID: String(process.pid) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  upCode = new Promise((resolve) => up.once('exit', (code) => resolve(code ?? 1)));
  const ready = new Promise((resolve) => up.on('message', (message) => message?.kind === 'up' && resolve(true)));
  if (!(await Promise.race([ready, upCode.then(() => false)]))) process.exit((await upCode) || 1);
  const found = await run(process.execPath, [davit, 'env', '--json'], { env });
  if (found.code !== 0) throw new Error(found.output);
  const { DAVIT_URL: url, DAVIT_API_KEY: key } = JSON.parse(found.stdout);
  return { url, key };
}

async function launchExample({ url, key }) {
  const connected = { ...env, DAVIT_URL: url, DAVIT_API_KEY: key };
  console.log('\n$ davit launch examples --project quickstart');
  const accepted = await run(
    process.execPath,
    [davit, 'launch', 'examples', '--project', 'quickstart', '--detach', '--json'],
    { env: connected },
  );
  if (accepted.code !== 0) {
    console.error(accepted.output.trimEnd());
    return leave(accepted.code);
  }
  const { id } = JSON.parse(accepted.stdout);
  const jobCode = await runNode([davit, 'launches', 'watch', id], { env: connected });

  const get = async (path) => {
    const answer = await fetch(`${url}${path}`, {
      headers: { Authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(20_000),
    });
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const launch = await get(`/api/v1/launches/${id}`);
  const shown = launch.run === null ? undefined : await get(new URL(launch.run.url, url).pathname);
  const lines = [
    ['launch', id],
    ['state', launch.state],
    ...(launch.failure === null
      ? []
      : [
          ['why', launch.failure.message],
          ['fix', launch.failure.fix],
        ]),
    ...(shown === undefined
      ? []
      : [
          ['loss', shown.summary.loss],
          ['address', new URL(launch.run.url, url).href],
        ]),
  ];
  const end = () => console.log(`\n${lines.map(([name, value]) => `${String(name).padEnd(9)}${value}`).join('\n')}`);
  const seconds = ((Date.now() - begunAtMs) / 1000).toFixed(0);

  if (leaves || up === undefined) {
    const code = await leave(jobCode);
    console.log(`\nDone after ${seconds} s.`);
    end();
    return code;
  }
  console.log(`\nDone after ${seconds} s; the stack stays up until Ctrl-C. In another terminal:`);
  console.log(`  eval "$(npx davit env)"                 the address and the key for that shell`);
  console.log(`  npx davit launches show ${id}   what happened, step by step`);
  console.log(`  npx davit launch examples --config epochs=400`);
  end();
  await upCode;
  return jobCode;
}

/** Stops what was started here, and nothing else. */
async function leave(code) {
  if (up !== undefined && up.exitCode === null) {
    up.kill('SIGTERM');
    await upCode;
  }
  return code;
}

if (up !== undefined && up.exitCode === null) await leave(0);
process.exit(exitCode);
