import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPython, wandbEnvironment, type RunningPython } from '../support/run-python.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { newestWandb, wandbPython } from '../support/wandb-clients.js';

/** A sweep as people run it, with real agents, while processes of both sides are killed. */

const values = [1, 2, 3, 4, 5, 6];
const config = `program: job.py\nmethod: grid\nmetric: {name: loss}\nparameters: {a: {values: [${values.join(', ')}]}}\n`;

/** Writes down who it is, when its run begins and when it has ended; it does not begin while the file `hold` of its agent is there, unless it is let through. */
const program = `
import os, time
with open("program-" + os.environ["AGENT"], "w") as file:
    file.write(f"{os.getpid()} {os.environ['WANDB_RUN_ID']}\\n")
while os.path.exists(os.environ["HOLD"]) and not os.path.exists("through-" + os.environ["WANDB_RUN_ID"]):
    time.sleep(0.05)
import wandb

def note(word, run):
    with open("journal", "a") as journal:
        journal.write(f"{word} {run.config['a']} {os.environ['AGENT']} {run.id}\\n")

with wandb.init() as run:
    note("begin", run)
    run.log({"loss": run.config["a"]})
note("end", run)
`;

let stack: Stack;
let python: string;
const agents: RunningPython[] = [];
beforeAll(async () => {
  [stack, python] = await Promise.all([Stack.start({ maxJobs: 0 }), wandbPython(newestWandb)]);
});
afterAll(async () => {
  for (const agent of agents) agent.kill('SIGKILL');
  for (const name of ['one', 'two']) await rm(join(stack.folder, `hold-${name}`), { force: true });
  await Promise.all(agents.map((agent) => agent.done));
  await stack.stop();
});

function wandb(args: string[], name = ''): RunningPython {
  const env = wandbEnvironment(stack.folder, { url: stack.apiUrl, key: stack.userKey });
  return startPython(python, ['-m', 'wandb', ...args], {
    folder: stack.folder,
    env: {
      ...env,
      PATH: [dirname(python), env['PATH']].join(delimiter),
      WANDB_PROJECT: 'faulty',
      AGENT: name,
      HOLD: join(stack.folder, `hold-${name}`),
    },
  });
}

interface Note {
  word: string;
  a: number;
  agent: string;
  run: string;
}

const textOf = (name: string) => readFile(join(stack.folder, name), 'utf8').catch(() => '');

async function journal(): Promise<Note[]> {
  const text = await readFile(join(stack.folder, 'journal'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '))
    .map(([word = '', a, agent = '', run = '']) => ({ word, a: Number(a), agent, run }));
}
const noted = async (word: string) => (await journal()).filter((note) => note.word === word);

const said = () => agents.map((agent, i) => `agent ${i}:\n${agent.output()}`).join('\n');
const patience = { ms: 180_000, everyMs: 50 };

test('kill -9 of the API, twice, and of an agent: each set of a grid runs once, none is lost, the sweep ends', async () => {
  await writeFile(join(stack.folder, 'sweep.yaml'), config);
  await writeFile(join(stack.folder, 'job.py'), program);
  await appendFile(join(stack.folder, 'journal'), '');
  const made = await wandb(['sweep', 'sweep.yaml']).done;
  const path = /wandb agent (\S+)/.exec(made.output)?.[1] ?? '';
  expect(path, made.output).not.toBe('');
  // Neither may work through the grid before the other has come.
  for (const name of ['one', 'two']) await writeFile(join(stack.folder, `hold-${name}`), '');
  agents.push(wandb(['agent', path], 'one'), wandb(['agent', path], 'two'));
  for (const name of ['one', 'two'])
    await until(async () => (await textOf(`program-${name}`)).endsWith('\n'), {
      ...patience,
      what: () => `a set for each agent; ${said()}`,
    });
  // The first agent's first set begins, and what it is given next does not.
  const [, first = ''] = (await textOf('program-one')).trim().split(' ');
  await writeFile(join(stack.folder, `through-${first}`), '');
  await rm(join(stack.folder, 'hold-two'));

  await until(
    async () => {
      const begun = await noted('begin');
      return ['one', 'two'].every((name) => begun.some(({ agent }) => agent === name));
    },
    { ...patience, what: () => `a run of each agent; ${said()}` },
  );
  await stack.killAndWait('server');
  await until(
    async () => {
      const ended = await noted('end');
      return ended.length >= 3 && ended.some(({ run }) => run === first);
    },
    { ...patience, what: () => `three ends, one of them the first agent's; ${said()}` },
  );
  await stack.killAndWait('server');

  // The first agent dies with it.
  const held = await until(
    async () => {
      const [set] = await stack.ask<{ run_name: string; agent_id: number; value: string }>(
        `select s.run_name, s.agent_id, s.args::jsonb #>> '{a,value}' as value from sweep_set s
           where s.agent_id = (select agent_id from sweep_set where run_name = '${first}') and s.state <> 'ended'
             and not exists (select from run r where r.name = s.run_name)`,
      );
      return set;
    },
    { ...patience, what: () => `a set that has not begun; ${said()}` },
  );
  // As with its machine: its program, which is a session of its own, dies too.
  const pid = await until(async () => {
    const [id, run] = (await textOf('program-one')).trim().split(' ');
    return run === held.run_name && Number(id);
  }, patience);
  agents[0]?.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await agents[0]?.done;
  await rm(join(stack.folder, 'hold-one'));
  // As if it had been silent for long, and the API up for as long.
  await stack.ask(`update sweep_agent set heartbeat_at = now() - interval '1 hour' where id = ${held.agent_id}`);
  await stack.ask(
    `update setting set value = '2000-01-01T00:00:00Z|' || split_part(value, '|', 2) where key = 'runs-watched'`,
  );

  expect((await agents[1]?.done)?.code, said()).toBe(0);
  const begun = await noted('begin');
  expect(begun.map(({ a }) => a).sort(), said()).toEqual(values);
  expect((await noted('end')).map(({ a }) => a).sort()).toEqual(values);
  const again = begun.find(({ a }) => a === Number(held.value));
  expect(again?.agent).toBe('two');
  expect(again?.run).not.toBe(held.run_name);

  const sets = await stack.ask<{ state: string; run_name: string; former: string[]; run: string; lines: number }>(
    `select s.state, s.run_name, s.former, r.state as run, r.history_lines as lines
       from sweep_set s left join run r on r.name = s.run_name order by s.n`,
  );
  expect(sets.map(({ run_name: name }) => name).sort()).toEqual(begun.map(({ run }) => run).sort());
  expect(sets.map(({ state, run, lines }) => [state, run, lines])).toEqual(values.map(() => ['ended', 'finished', 1]));
  expect(sets.flatMap(({ former }) => former)).toEqual([held.run_name]);
  const [sweep] = await stack.ask<{ state: string }>('select state from sweep');
  expect(sweep?.state).toBe('FINISHED');
});
