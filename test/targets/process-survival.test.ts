import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf, isAlive } from '../../targets/process/identity.js';
import { createProcessTarget } from '../../targets/process/index.js';
import { startKeeper } from '../../targets/process/keeper.js';
import { Layout } from '../../targets/process/layout.js';
import { readJob } from '../../targets/process/state.js';
import type { JobPlan } from '../../domain/job-plan.js';
import { numbersFrom } from '../support/random.js';
import { testSeed as seed } from '../support/seed.js';
import { until } from '../support/until.js';
import { buildTargets } from './built.js';
import { endOf, outputOf, planRequest, prepareContext, shell, start, submitContext } from './jobs.js';
import { AgentProcess } from './process-agent.js';

const workFolder = mkdtempSync(join(tmpdir(), 'davit-process-'));
const layout = new Layout(workFolder);
const open = () => createProcessTarget({ workFolder, hostEnvironment: process.env });
const target = open();
let built: ReturnType<typeof buildTargets>;

beforeAll(() => {
  built = buildTargets();
});
afterAll(() => {
  built.remove();
  rmSync(workFolder, { recursive: true, force: true });
});

let files = 0;
const newFile = (): string => join(workFolder, `file-${(files += 1)}`);
const countLines = (file: string): number => {
  try {
    return readFileSync(file, 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
};

async function prepared(script: string): Promise<JobPlan> {
  const plan = target.plan(planRequest({ command: shell(script) }));
  await target.prepare(plan, prepareContext());
  return plan;
}

async function startedOf(name: string) {
  const job = await readJob(layout.job(name));
  if (typeof job?.started !== 'object') throw new Error(`${name} has not started`);
  return job.started;
}

describe('a job outlives its agent', () => {
  it('goes on when the agent is killed with its group, and another process finds how it ended', async () => {
    const gate = newFile();
    const plan = await prepared(`echo before; until [ -e ${gate} ]; do sleep 0.02; done; echo after; exit 3`);
    const agent = await new AgentProcess(built.folder, workFolder, 'submit', { plan }).ready();
    agent.go();
    await agent.answer();
    await agent.kill9();
    expect(await target.find(plan.name)).toMatchObject({ state: 'running', agentId: 'agent-process' });
    expect((await target.list('agent-process')).map((job) => job.name)).toEqual([plan.name]);
    writeFileSync(gate, '');
    expect(await endOf(target, plan.name)).toMatchObject({ state: 'ended', exitCode: 3 });
    expect(await outputOf(target, plan.name)).toBe('before\nafter\n');
  });

  it('is started once by 30 submits from three processes', async () => {
    const starts = newFile();
    const plan = await prepared(`echo $$ >> ${starts}`);
    const agents = await Promise.all(
      [1, 2, 3].map(() => new AgentProcess(built.folder, workFolder, 'submit', { plan, times: 10 }).ready()),
    );
    for (const agent of agents) agent.go();
    const answers = (await Promise.all(agents.map((agent) => agent.answer()))) as {
      status: string;
      value: { adopted: boolean };
    }[][];
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0 });
    await Promise.all(agents.map((agent) => agent.kill9()));
    expect(countLines(starts)).toBe(1);
    expect(answers.flat().filter((answer) => answer.status !== 'fulfilled')).toEqual([]);
    expect(answers.flat().filter((answer) => !answer.value.adopted)).toHaveLength(1);
  });

  it(`is started once when the agent is killed at any moment of its submit and another one repeats it (seed ${seed})`, async () => {
    const random = numbersFrom(seed);
    const rounds = 40;
    const next = async () => {
      const starts = newFile();
      const plan = await prepared(`echo $$ >> ${starts}; exit 6`);
      return { starts, plan, agent: await new AgentProcess(built.folder, workFolder, 'submit', { plan }).ready() };
    };
    const moments = { claimed: 0, started: 0, nothing: 0 };
    let coming = next();
    for (let round = 0; round < rounds; round += 1) {
      const { starts, plan, agent } = await coming;
      if (round + 1 < rounds) coming = next();
      agent.go();
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      await agent.kill9();
      const job = await readJob(layout.job(plan.name));
      moments[typeof job?.started === 'object' ? 'started' : job ? 'claimed' : 'nothing'] += 1;
      // A third of them is looked at first, as the watcher of a lost agent does, which settles an open claim.
      const seen = random() < 0.33 ? await target.find(plan.name) : undefined;
      const { adopted } = await target.submit(plan, submitContext());
      if (seen) expect(adopted).toBe(true);
      expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 6 });
      expect(countLines(starts), `round ${round} of seed ${seed}`).toBe(1);
    }
    console.log(`killed with: ${JSON.stringify(moments)}`);
  }, 300_000);

  it('a claim of a dead agent is settled by whoever finds nothing, and its late keeper starts nothing', async () => {
    const starts = newFile();
    const plan = await prepared(`echo $$ >> ${starts}`);
    const folder = layout.job(plan.name);
    mkdirSync(folder.state, { recursive: true });
    const submitter = { pid: process.pid, token: 'of-a-process-before-this-one' };
    const claim = { name: plan.name, launchId: plan.launchId, attempt: 1, agentId: 'dead', submitter };
    writeFileSync(join(folder.state, 'claim.1.json'), JSON.stringify(claim));
    expect(await open().find(plan.name)).toBeUndefined();

    await startKeeper(workFolder, {
      folder,
      name: plan.name,
      generation: 1,
      workingFolder: folder.code,
      nice: 0,
      command: ['/bin/sh', ...shell(`echo $$ >> ${starts}`).slice(1)],
      environment: { PATH: '/usr/bin:/bin' },
      hostPath: '/usr/bin:/bin',
    });
    expect(await target.find(plan.name)).toBeUndefined();
    expect(countLines(starts)).toBe(0);

    expect(await target.submit(plan, submitContext())).toEqual({ adopted: false });
    await endOf(target, plan.name);
    expect(countLines(starts)).toBe(1);
  });
});

describe('the end of a job is told as far as it is known', () => {
  it('a job whose keeper was killed goes on, and when it ends, it is lost', async () => {
    const gate = newFile();
    const plan = await start(target, { command: shell(`until [ -e ${gate} ]; do sleep 0.02; done; echo done`) });
    const { keeper, job } = await startedOf(plan.name);
    process.kill(keeper.pid, 'SIGKILL');
    await until(async () => !(await isAlive(keeper)), { what: 'the death of the keeper' });
    expect((await target.find(plan.name))?.state).toBe('running');
    writeFileSync(gate, '');
    await until(async () => !(await isAlive(job)), { what: 'the end of the job' });
    const status = await endOf(target, plan.name);
    expect(status).toMatchObject({ state: 'ended', lost: true });
    expect(status.exitCode).toBeUndefined();
    expect(await outputOf(target, plan.name)).toBe('done\n');
    expect(await open().find(plan.name)).toEqual(status);
  });

  it('a job whose keeper and first process are gone still runs while others of it do, and can be killed', async () => {
    const plan = await start(target, { command: shell('sleep 600 & echo $!; wait') });
    const { keeper, job } = await startedOf(plan.name);
    const child = Number(
      await until(async () => readFileSync(join(layout.job(plan.name).root, 'stdout'), 'utf8').trim()),
    );
    process.kill(keeper.pid, 'SIGKILL');
    await until(async () => !(await isAlive(keeper)));
    process.kill(job.pid, 'SIGKILL');
    await until(async () => !(await isAlive(job)));
    expect((await target.find(plan.name))?.state).toBe('running');
    expect(await target.kill(plan.name, 5_000)).toBe(true);
    expect(await identityOf(child)).toBeUndefined();
    expect(await target.find(plan.name)).toMatchObject({ state: 'ended', lost: true, killed: true });
  });

  it('a stranger with the number of the job is neither taken for it nor killed', async () => {
    const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const plan = await prepared('true');
    const folder = layout.job(plan.name);
    mkdirSync(folder.state, { recursive: true });
    const submitter = { pid: process.pid, token: 'x' };
    const claim = { name: plan.name, launchId: plan.launchId, attempt: 1, agentId: 'dead', submitter };
    writeFileSync(join(folder.state, 'claim.1.json'), JSON.stringify(claim));
    const own = await identityOf(process.pid);
    const boot = own?.token.split(':')[0] ?? '';
    writeFileSync(join(folder.state, 'started.1'), `${stranger.pid} ${boot}:1\n${stranger.pid} ${boot}:1\n`);
    await target.kill(plan.name, 100);
    expect(await identityOf(stranger.pid ?? 0)).toBeDefined();
    expect(await target.find(plan.name)).toMatchObject({ state: 'ended', lost: true });
    stranger.kill('SIGKILL');
  });
});

describe('kill leaves nothing', () => {
  it('of a job that ignores SIGTERM, with children, of which one left the session', async () => {
    const pids = newFile();
    const stubborn = `trap '' TERM; echo $$ >> ${pids}; while :; do sleep 1; done`;
    const script = `trap '' TERM; sh -c "${stubborn.replaceAll('$', '\\$')}" & setsid sh -c "${stubborn.replaceAll('$', '\\$')}" & echo $$ >> ${pids}; while :; do sleep 1; done`;
    const plan = await start(target, { command: shell(script) });
    await until(() => countLines(pids) === 3, { what: 'three processes' });
    const numbers = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
    expect(await target.kill(plan.name, 100)).toBe(true);
    for (const pid of numbers) expect(await identityOf(pid)).toBeUndefined();
    expect(await target.find(plan.name)).toMatchObject({ state: 'ended', killed: true });
  });

  it('of what a job left running behind it, once it is cleaned up', async () => {
    const pids = newFile();
    const plan = await start(target, { command: shell(`sleep 600 & echo $! >> ${pids}; exit 0`) });
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0 });
    await target.cleanUp(plan.name);
    expect(await identityOf(Number(readFileSync(pids, 'utf8')))).toBeUndefined();
  });

  it('and a job that names its own grace gets it', async () => {
    const script = "trap 'sleep 0.3; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done";
    const plan = await start(target, { command: shell(script), resourceConfig: { graceSeconds: 60 } });
    await until(() => readFileSync(join(layout.job(plan.name).root, 'stdout'), 'utf8') === 'ready\n');
    await target.kill(plan.name, 1);
    expect(await outputOf(target, plan.name)).toBe('ready\nsaved\n');
  });
});
