import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobStatus } from '../../domain/job-plan.js';
import type { Target } from '../../targets/target.js';
import { LoneEngine } from '../support/lone-engine.js';
import { until } from '../support/until.js';
import { fakeContext, fakeInstaller, fakePlan } from './fake-installer.js';
import { dockerFixture } from './fixture.js';
import { endOf, outputOf, planRequest, prepareContext, shell, start, submitContext } from '../targets/jobs.js';

/** An Engine that is killed and comes back, in every phase of a job. */
let engine: LoneEngine;
let fixture: ReturnType<typeof dockerFixture>;
let target: Target;

beforeAll(async () => {
  engine = await LoneEngine.start();
  fixture = dockerFixture(engine.image, { engine: engine.address, network: 'none' });
  target = fixture.open();
});
afterAll(async () => {
  await engine.stop();
  fixture.remove();
});

async function starts(name: string): Promise<number> {
  return (await outputOf(target, name)).split('started\n').length - 1;
}

/** Prints a line every so often until the file appears in the container. */
const untilTold = 'i=0; while [ ! -e /tmp/end ]; do echo "line $i"; i=$((i+1)); sleep 0.05; done; echo over';
async function tell(name: string): Promise<void> {
  const exec = await engine.docker.getContainer(name).exec({ Cmd: ['touch', '/tmp/end'] });
  await exec.start({});
}

describe('an Engine that dies', () => {
  it('before a job is prepared is waited for', async () => {
    const plan = target.plan(planRequest({ command: shell('echo started') }));
    await engine.kill9();
    let said = '';
    const prepared = target.prepare(plan, prepareContext({ onLog: (text) => (said += text) }));
    await until(() => said.includes('does not answer'), { what: 'a word about the Engine' });
    await engine.up();
    await prepared;
    await target.submit(plan, submitContext());
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0 });
  });

  it('in the middle of a preparation is waited for, and it begins again', async () => {
    const plan = target.plan(planRequest({ command: shell('echo started') }));
    let said = '';
    let deaths = 0;
    const context = prepareContext({
      onLog: (text) => (said += text),
      onImage: async () => {
        if (deaths++ === 0) await engine.kill9();
      },
    });
    const prepared = target.prepare(plan, context);
    await until(() => said.includes('begins again'), { what: 'a word about the Engine' });
    await engine.up();
    await prepared;
    await target.submit(plan, submitContext());
    expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 0 });
  });

  it('at any moment of a submit: the job is started once, or told as lost', async () => {
    for (const delayMs of [0, 10, 30, 60, 100, 200, 400]) {
      const plan = target.plan(planRequest({ command: shell('echo started; exit 6') }));
      await target.prepare(plan, prepareContext());
      const submitted = target.submit(plan, submitContext());
      submitted.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await engine.kill9();
      await engine.up();
      await submitted;
      const end = await endOf(target, plan.name);
      // It may have been killed before it wrote what it knew of the start or the end: then it says so, and nothing is started again.
      if (end.lost) expect(end.reason).toMatch(/its Engine/i);
      else expect(end, `killed after ${delayMs} ms`).toMatchObject({ exitCode: 6 });
      expect(await starts(plan.name)).toBeLessThanOrEqual(1);
    }
  });

  it('while a job runs: it goes on, is followed to its end, and its log has neither gap nor double', async () => {
    const plan = await start(target, { command: shell(untilTold) });
    const seen: JobStatus[] = [];
    const following = (async () => {
      for await (const status of target.follow(plan.name, AbortSignal.timeout(100_000))) seen.push(status);
    })();
    const output = outputOf(target, plan.name);
    await until(() => seen.some((status) => status.state === 'running'));
    for (let round = 0; round < 3; round += 1) {
      await engine.kill9();
      await engine.up();
    }
    await tell(plan.name);
    await following;
    const lines = (await output).trimEnd().split('\n');
    expect(lines.pop()).toBe('over');
    expect(lines).toEqual(lines.map((_, i) => `line ${i}`));
    expect(seen.at(-1)).toMatchObject({ state: 'ended', exitCode: 0 });
    // Another agent, which has seen nothing of it.
    expect(await fixture.open().find(plan.name)).toEqual(seen.at(-1));
  });

  const neverStarted = { Running: false, Pid: 0, StartedAt: '0001-01-01T00:00:00Z' };

  it('while it starts a job, and forgets that it did: the job is told as lost, and not started again', async () => {
    const plan = await start(target, { command: shell(`echo started; ${untilTold}`) });
    await until(async () => (await target.find(plan.name))?.state === 'running', { what: 'the job to run' });
    const { Id, State } = await engine.docker.getContainer(plan.name).inspect();
    await engine.kill9();
    await engine.rewriteState(Id, neverStarted);
    await engine.up();
    try {
      expect(await target.find(plan.name)).toMatchObject({
        state: 'ended',
        lost: true,
        reason: expect.stringMatching(/went down while it started the job/),
      });
      expect(await target.submit(plan, submitContext())).toEqual({ adopted: true });
      expect(await engine.docker.listContainers({ all: true, filters: { name: [plan.name] } as never })).toEqual([]);
    } finally {
      process.kill(State.Pid, 'SIGKILL');
    }
  });

  it('and does not know how a job ended meanwhile: the job is told as lost, not as its own failure', async () => {
    const own = await start(target, { command: shell('exit 255') });
    expect(await endOf(target, own.name)).toMatchObject({ exitCode: 255 });
    const plan = await start(target, { command: shell('true') });
    await until(async () => (await target.find(plan.name))?.state === 'ended', { what: 'the job to end' });
    const { Id } = await engine.docker.getContainer(plan.name).inspect();
    await engine.kill9();
    // What an Engine says that had taken the outcome from its containerd, and not written it.
    await engine.rewriteState(Id, { ExitCode: 255 });
    await engine.up();
    const found = await target.find(plan.name);
    expect(found).toMatchObject({ state: 'ended', lost: true, reason: expect.stringMatching(/does not know how/) });
    expect(found).not.toHaveProperty('exitCode');
  });

  it('and is away when a job ends: the launch is told that the end of its log may be missing', async () => {
    const plan = await start(target, { command: shell('while [ ! -e /tmp/end ]; do sleep 0.05; done; echo over') });
    const { State } = await engine.docker.getContainer(plan.name).inspect();
    await engine.kill9();
    writeFileSync(`/proc/${State.Pid}/root/tmp/end`, '');
    await until(() => !existsSync(`/proc/${State.Pid}`), { what: 'the job to end' });
    await engine.up();
    expect(await endOf(target, plan.name)).toMatchObject({
      exitCode: 0,
      note: expect.stringMatching(/missing in its log/),
    });
    const later = await start(target, { command: shell('echo over') });
    expect(await endOf(target, later.name)).not.toHaveProperty('note');
  });

  it('and stays away for a while: who follows hears so', async () => {
    const plan = await start(target, { command: shell('sleep 600') });
    const seen: JobStatus[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const status of target.follow(plan.name, stop.signal)) seen.push(status);
    })();
    await until(() => seen.length > 0);
    await engine.kill9();
    await until(() => seen.at(-1)?.reason?.includes('has not answered since'), {
      what: 'word of the silence',
      ms: 30_000,
    });
    expect(seen.at(-1)).toMatchObject({ state: 'running' });
    // Not known is not absent: nobody may take it for a job that never was.
    await expect(target.find(plan.name)).rejects.toThrow(/does not answer/);
    await expect(target.list('agent-1')).rejects.toThrow(/does not answer/);
    await engine.up();
    await until(() => seen.at(-1)?.reason === undefined, { what: 'the silence to be over', ms: 30_000 });
    stop.abort();
    await following;
    expect(await target.kill(plan.name, 0)).toBe(true);
  });

  it('while a job is killed: the kill is heard in the end', async () => {
    const plan = await start(target, { command: shell("trap '' TERM; echo ready; while :; do sleep 0.1; done") });
    const killing = target.kill(plan.name, 3_000);
    const outcome = killing.then(
      () => 'killed',
      () => 'broken off',
    );
    await engine.kill9();
    await engine.up();
    if ((await outcome) === 'broken off') await target.kill(plan.name, 0);
    expect(await target.find(plan.name)).toMatchObject({ state: 'ended', killed: true, signal: 'SIGKILL' });
  });

  it('for good: a step ends with a cause', async () => {
    const impatient = fixture.open({ patienceMs: 500 });
    const plan = impatient.plan(planRequest({ command: shell('true') }));
    await impatient.prepare(plan, prepareContext());
    const place = await impatient.place();
    await engine.kill9();
    await expect(impatient.prepare(plan, prepareContext())).rejects.toMatchObject({ code: 'engine-unreachable' });
    await expect(impatient.submit(plan, submitContext())).rejects.toMatchObject({ code: 'engine-unreachable' });
    expect(await impatient.check()).toMatchObject({
      ok: false,
      details: [expect.stringMatching(/does not answer.*start it/)],
    });
    // Where its jobs are is known all the same.
    expect(await impatient.place()).toBe(place);
    await engine.up();
    expect(await fixture.open().place()).toBe(place);
    expect(await impatient.check()).toMatchObject({ ok: true });
  });
});

describe('an Engine without live-restore', () => {
  it('takes an installation along: it begins anew, and the list of requirements is not blamed', async () => {
    const mortal = await LoneEngine.start({ liveRestore: false });
    const own = dockerFixture(mortal.image, { engine: mortal.address, network: 'none' });
    try {
      await fakeInstaller(mortal);
      const there = own.open();
      const plan = fakePlan(there, 'hang-once\n');
      let said = '';
      const prepared = there.prepare(plan, fakeContext({ onLog: (text) => (said += text) }));
      await until(() => said.includes('hanging'), { what: 'the installation to be under way' });
      await mortal.kill9();
      await mortal.up();
      await prepared;
      expect(said).toContain('broken off from outside');
      await there.submit(plan, submitContext());
      expect(await outputOf(there, plan.name)).toBe('hang-once\n');
    } finally {
      await mortal.stop();
      own.remove();
    }
  });

  it('takes its jobs along when it dies, and that is what is told of them', async () => {
    const mortal = await LoneEngine.start({ liveRestore: false });
    const own = dockerFixture(mortal.image, { engine: mortal.address, network: 'none' });
    try {
      const there = own.open();
      const plan = await start(there, { command: shell('echo started; sleep 600') });
      const end = endOf(there, plan.name);
      await until(async () => (await there.find(plan.name))?.state === 'running');
      await mortal.kill9();
      await mortal.up();
      const status = await end;
      expect(status).toMatchObject({ state: 'ended', signal: expect.stringMatching(/^SIG(TERM|KILL)$/) });
      expect(status.killed ?? false).toBe(false);
      expect(await own.open().find(plan.name)).toEqual(status);
    } finally {
      await mortal.stop();
      own.remove();
    }
  });
});
