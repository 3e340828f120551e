// An agent as small as it can be, to be killed: node process-agent.mjs BUILT-FOLDER WORK-FOLDER, then a JSON array of plans with `times`.
// Prints `ready`, waits for a line on stdin, submits, prints its answers as JSON, and stays until it is killed or its stdin ends.
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [built, workFolder, action, text, hostEnvironment = '{}'] = process.argv.slice(2);
const { createProcessTarget } = await import(pathToFileURL(join(built, 'targets', 'process', 'index.js')).href);
const target = createProcessTarget({ workFolder, hostEnvironment: { ...process.env, ...JSON.parse(hostEnvironment) } });
const { plan, times = 1, code } = JSON.parse(text);
const signal = new AbortController().signal;

const actions = {
  submit: () =>
    Promise.allSettled(
      Array.from({ length: times }, () => target.submit(plan, { signal, secrets: {}, agentId: 'agent-process' })),
    ),
  prepare: async () => {
    let log = '';
    const onLog = (part) => {
      log += part;
      process.stdout.write(JSON.stringify({ log: part }) + '\n');
    };
    const { copyFile } = await import('node:fs/promises');
    await target.prepare(plan, { signal, onLog, fetchCode: (to) => copyFile(code, to) });
    return log;
  },
};

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'go') continue;
  const answer = await actions[action]();
  process.stdout.write(JSON.stringify({ answer }) + '\n');
}
