import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobStatus } from '../../domain/job-plan.js';
import type { Target } from '../../targets/target.js';
import { until } from '../support/until.js';
import { endOf, never, outputOf, planRequest, prepareContext, shell, start, submitContext } from './jobs.js';

export interface ConformanceBackend {
  /** Another instance on the same place, as an agent has after its restart, or a second agent. */
  open(): Target;
  close(): Promise<void>;
}

/** What every target promises, on its real backend. Jobs need nothing but `sh` and the usual small programs. */
export function targetConformance(targetName: string, openBackend: () => Promise<ConformanceBackend>): void {
  describe(`the ${targetName} target keeps the promises of every target:`, () => {
    let backend: ConformanceBackend;
    let target: Target;
    beforeAll(async () => {
      backend = await openBackend();
      target = backend.open();
    });
    afterAll(() => backend.close());

    it('its check says that it can be used, and what it found', async () => {
      const check = await target.check();
      expect(check.ok, check.details.join('\n')).toBe(true);
      expect(check.details.length).toBeGreaterThan(0);
    });

    it('its place is the same for every agent there', async () => {
      const places = await Promise.all([target, backend.open(), backend.open()].map((each) => each.place()));
      expect(new Set(places).size).toBe(1);
      expect(places[0]).not.toBe('');
    });

    it('a plan is a function of its request', () => {
      const request = planRequest({ command: ['true'] });
      expect(target.plan(request)).toEqual(target.plan(structuredClone(request)));
      expect(target.plan(request).target).toBe(target.name);
    });

    it('a plan refuses a resource config with an unknown key and names the key', () => {
      const request = planRequest({ command: ['true'], resourceConfig: { noSuchKey: 1 } });
      expect(() => target.plan(request)).toThrow(/noSuchKey/);
    });

    it('a plan survives its journey as JSON', async () => {
      const plan = target.plan(planRequest({ command: shell('echo "$GREETING"'), environment: { GREETING: 'hello' } }));
      const arrived = JSON.parse(JSON.stringify(plan)) as typeof plan;
      await target.prepare(arrived, prepareContext());
      await target.submit(arrived, submitContext());
      expect(await outputOf(target, plan.name)).toBe('hello\n');
    });

    it('a name that nobody submitted is not found', async () => {
      expect(await target.find(planRequest({ command: [] }).name)).toBeUndefined();
    });

    it('a job that ends well has exit code 0 and its whole story', async () => {
      const plan = await start(target, { command: shell('exit 0') });
      const status = await endOf(target, plan.name);
      expect(status).toMatchObject({
        name: plan.name,
        launchId: plan.launchId,
        attempt: 1,
        agentId: 'agent-1',
        state: 'ended',
        exitCode: 0,
      });
      expect(status.killed ?? false).toBe(false);
      expect(status.lost ?? false).toBe(false);
      expect(status.endedAtMs).toBeGreaterThanOrEqual(status.startedAtMs ?? Infinity);
      expect(await target.find(plan.name)).toEqual(status);
    });

    it('a job that exits 3 has exit code 3', async () => {
      const plan = await start(target, { command: shell('exit 3') });
      const status = await endOf(target, plan.name);
      expect(status.exitCode).toBe(3);
      expect(status.signal).toBeUndefined();
    });

    it('a job that a signal ends says which', async () => {
      const plan = await start(target, { command: shell('kill -9 $$') });
      expect(await endOf(target, plan.name)).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
      expect(await outputOf(target, plan.name, 'stderr')).toBe('');
    });

    it('arguments arrive as they are, without a shell', async () => {
      const args = ['a b', '$HOME', '"', "'", '*', '', '-n', 'ä\n;'];
      const plan = await start(target, { command: ['sh', '-c', 'for a; do printf "<%s>" "$a"; done', 'sh', ...args] });
      expect(await outputOf(target, plan.name)).toBe(args.map((arg) => `<${arg}>`).join(''));
    });

    it('secrets reach the job and are not in the plan', async () => {
      const plan = target.plan(planRequest({ command: shell('echo "$API_KEY"') }));
      await target.prepare(plan, prepareContext());
      await target.submit(plan, submitContext('agent-1', { API_KEY: 'hush' }));
      expect(await outputOf(target, plan.name)).toBe('hush\n');
      expect(JSON.stringify(plan)).not.toContain('hush');
    });

    it('stdout and stderr are told apart', async () => {
      const plan = await start(target, { command: shell('echo out; echo err >&2') });
      expect(await outputOf(target, plan.name, 'stdout')).toBe('out\n');
      expect(await outputOf(target, plan.name, 'stderr')).toBe('err\n');
    });

    it('output can be read while the job runs', async () => {
      const plan = await start(target, { command: shell('echo first; sleep 60') });
      for await (const piece of target.logs(plan.name, 'stdout', 0, never())) {
        expect(Buffer.from(piece.data).toString()).toBe('first\n');
        break;
      }
      expect((await target.find(plan.name))?.state).toBe('running');
      await target.kill(plan.name, 0);
    });

    it('5 MB of output arrive byte for byte over readers that break off and go on', async () => {
      const script =
        'i=0; while [ $i -lt 50000 ]; do echo "$i ......................................................................................."; i=$((i+1)); done';
      const plan = await start(target, { command: shell(script) });
      const hash = createHash('sha256');
      let position = 0;
      let readers = 0;
      for (let done = false; !done; readers += 1) {
        // Every reader takes a few pieces; another agent's reader goes on in the middle.
        const abort = new AbortController();
        let pieces = 0;
        done = true;
        for await (const piece of backend.open().logs(plan.name, 'stdout', position, abort.signal)) {
          expect(piece.fromByte).toBe(position);
          // A reader may have taken less than it was given.
          const taken = piece.data.subarray(0, Math.max(1, piece.data.length - (readers % 7)));
          hash.update(taken);
          position += taken.length;
          pieces += 1;
          if (taken.length < piece.data.length || pieces > 3) {
            done = false;
            break;
          }
        }
        abort.abort();
      }
      let expected = '';
      for (let i = 0; i < 50_000; i += 1)
        expected += `${i} .......................................................................................\n`;
      expect(position).toBe(expected.length);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(expected).digest('hex'));
      expect(readers).toBeGreaterThan(10);
    });

    it('follow tells a story from running to ended, once each, and waits for a job that is yet to come', async () => {
      const plan = target.plan(planRequest({ command: shell('read x </dev/null; exit 5') }));
      const seen: JobStatus[] = [];
      const following = (async () => {
        for await (const status of backend.open().follow(plan.name, AbortSignal.timeout(60_000))) seen.push(status);
      })();
      await target.prepare(plan, prepareContext());
      await target.submit(plan, submitContext());
      await following;
      expect(seen.at(-1)).toMatchObject({ state: 'ended', exitCode: 5 });
      const states = seen.map((status) => status.state);
      expect(states).toEqual([...new Set(states)]);
    });

    it('follow and logs end without error when they are told to', async () => {
      const plan = await start(target, { command: shell('sleep 60') });
      const abort = new AbortController();
      const follow = (async () => {
        for await (const _ of target.follow(plan.name, abort.signal));
      })();
      const logs = (async () => {
        for await (const _ of target.logs(plan.name, 'stdout', 0, abort.signal));
      })();
      abort.abort();
      await Promise.all([follow, logs]);
      await target.kill(plan.name, 0);
    });

    it('a job submitted twice, or twenty times at once, exists once', async () => {
      const plan = target.plan(planRequest({ command: shell('echo started') }));
      await target.prepare(plan, prepareContext());
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => backend.open().submit(plan, submitContext(`agent-${i}`))),
      );
      answers.push(await target.submit(plan, submitContext()));
      await endOf(target, plan.name);
      answers.push(await target.submit(plan, submitContext()));
      expect(await outputOf(target, plan.name)).toBe('started\n');
      expect(answers.filter((answer) => !answer.adopted)).toHaveLength(1);
    });

    it('kill ends a job, and says so', async () => {
      const plan = await start(target, { command: shell('sleep 600') });
      expect(await target.kill(plan.name, 5_000)).toBe(true);
      expect(await target.find(plan.name)).toMatchObject({ state: 'ended', killed: true });
      expect(await target.kill(plan.name, 5_000)).toBe(false);
    });

    it('kill gives a job time to end by itself', async () => {
      const script = "trap 'echo saved; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
      const plan = await start(target, { command: shell(script) });
      await until(async () => (await firstBytes(target, plan.name)) === 'ready\n', { what: 'the trap' });
      await target.kill(plan.name, 60_000);
      expect(await outputOf(target, plan.name)).toBe('ready\nsaved\n');
      expect(await target.find(plan.name)).toMatchObject({ state: 'ended', exitCode: 7, killed: true });
    });

    it('kill ends a job that ignores the request', async () => {
      const plan = await start(target, { command: shell("trap '' TERM; echo ready; while :; do sleep 1; done") });
      await until(async () => (await firstBytes(target, plan.name)) === 'ready\n', { what: 'the trap' });
      expect(await target.kill(plan.name, 100)).toBe(true);
      expect(await target.find(plan.name)).toMatchObject({ state: 'ended', killed: true, signal: 'SIGKILL' });
    });

    it('a job killed before it was submitted is never started', async () => {
      const plan = target.plan(planRequest({ command: shell('echo started') }));
      await target.prepare(plan, prepareContext());
      expect(await target.kill(plan.name, 1_000)).toBe(false);
      await expect(backend.open().submit(plan, submitContext())).rejects.toMatchObject({ code: 'submit-after-kill' });
      expect(await target.find(plan.name)).toBeUndefined();
    });

    it('kill and submit at the same moment: the job is killed or was never there', async () => {
      for (let i = 0; i < 10; i += 1) {
        const plan = target.plan(planRequest({ command: shell('sleep 600') }));
        await target.prepare(plan, prepareContext());
        const submit = target.submit(plan, submitContext()).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'submit-after-kill' });
        });
        // Both orders, and a little of each in between.
        for (let turn = 0; turn < i; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await backend.open().kill(plan.name, 1_000);
        await submit;
        const status = await target.find(plan.name);
        if (status) expect(status).toMatchObject({ state: 'ended', killed: true });
        await expect(target.submit(plan, submitContext())).rejects.toMatchObject({ code: 'submit-after-kill' });
      }
    });

    it('close and submit at the same moment: the job goes on, or was never there and never will be', async () => {
      for (let i = 0; i < 10; i += 1) {
        const plan = target.plan(planRequest({ command: shell('echo begun; sleep 600') }));
        await target.prepare(plan, prepareContext());
        const submit = target.submit(plan, submitContext()).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'submit-after-kill' });
        });
        for (let turn = 0; turn < i * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        const hasBegun = await backend.open().close(plan.name);
        await submit;
        const status = await target.find(plan.name);
        // One that met the closed name on its way is ended before it did anything.
        if (status?.state !== 'running') expect(status ?? { killed: true }).toMatchObject({ killed: true });
        else expect(hasBegun).toBe(true);
        await target.kill(plan.name, 0);
        if (status?.state !== 'running' && status) expect(await outputOf(target, plan.name)).toBe('');
        await expect(target.submit(plan, submitContext())).rejects.toMatchObject({ code: 'submit-after-kill' });
      }
      const running = await start(target, { command: shell('sleep 600') });
      expect(await target.close(running.name)).toBe(true);
      expect(await target.find(running.name)).toMatchObject({ state: 'running' });
      expect(await target.kill(running.name, 0)).toBe(true);
    });

    it('list shows the running jobs of one agent and no others', async () => {
      const mine = target.plan(planRequest({ command: shell('sleep 600') }));
      const theirs = target.plan(planRequest({ command: shell('sleep 600') }));
      const over = target.plan(planRequest({ command: shell('true') }));
      for (const [plan, agent] of [
        [mine, 'list-a'],
        [theirs, 'list-b'],
        [over, 'list-a'],
      ] as const) {
        await target.prepare(plan, prepareContext());
        await target.submit(plan, submitContext(agent));
      }
      await endOf(target, over.name);
      expect((await backend.open().list('list-a')).map((job) => job.name)).toEqual([mine.name]);
      await target.kill(mine.name, 0);
      expect(await target.list('list-a')).toEqual([]);
      await target.kill(theirs.name, 0);
    });

    it('clean-up leaves the outcome and the logs, and can be repeated', async () => {
      const plan = await start(target, { command: shell('echo said; exit 4') });
      const before = await endOf(target, plan.name);
      await target.cleanUp(plan.name);
      await target.cleanUp(plan.name);
      expect(await target.find(plan.name)).toEqual(before);
      expect(await outputOf(target, plan.name)).toBe('said\n');
    });

    it('clean-up does not touch a job that runs', async () => {
      const plan = await start(target, { command: shell('sleep 600') });
      await target.cleanUp(plan.name);
      expect((await target.find(plan.name))?.state).toBe('running');
      await target.kill(plan.name, 0);
    });

    it('prepare can be repeated', async () => {
      const plan = target.plan(planRequest({ command: shell('echo once') }));
      await Promise.all([target.prepare(plan, prepareContext()), backend.open().prepare(plan, prepareContext())]);
      await target.prepare(plan, prepareContext());
      await target.submit(plan, submitContext());
      await target.prepare(plan, prepareContext());
      expect(await outputOf(target, plan.name)).toBe('once\n');
    });
  });
}

async function firstBytes(target: Target, name: string): Promise<string | undefined> {
  for await (const piece of target.logs(name, 'stdout', 0, AbortSignal.timeout(10_000)))
    return Buffer.from(piece.data).toString();
  return undefined;
}
