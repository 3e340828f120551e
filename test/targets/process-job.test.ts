import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { planRequest, prepareContext, shell, submitContext } from './jobs.js';
import { processFixture } from './process-fixture.js';

const { root, workFolder, target, open, prepare, run, remove } = processFixture();
afterAll(remove);

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // a process that has ended since
  }
}

describe('what a job gets and does not get', () => {
  it("the machine's settings and its own, nothing of the agent's credentials", async () => {
    const host = {
      ...process.env,
      TEMPORAL_API_KEY: 'no',
      DAVIT_AGENT_TOKEN: 'no',
      WANDB_API_KEY: 'no',
      WANDB_MODE: 'no',
      PIP_INDEX_URL: 'no',
      AWS_SECRET_ACCESS_KEY: 'no',
      CUDA_VISIBLE_DEVICES: '3',
      TZ: 'UTC',
    };
    const by = open({
      hostEnvironment: host,
      inheritEnvironment: ['PATH', 'TZ', 'CUDA_*', 'WANDB_*', 'TEMPORAL_API_KEY', 'DAVIT_*'],
    });
    const { stdout, plan } = await run(
      {
        command: ['env'],
        environment: { WANDB_PROJECT: 'p', A: 'plan' },
        resourceConfig: { env: { A: 'config', B: 'b' } },
      },
      undefined,
      by,
    );
    const lines = stdout
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('PATH=') && !line.startsWith('PWD='));
    expect(lines.sort()).toEqual([
      'A=plan',
      'B=b',
      'CUDA_VISIBLE_DEVICES=3',
      `DAVIT_JOB_NAME=${plan.name}`,
      'PYTHONUNBUFFERED=1',
      'TZ=UTC',
      'WANDB_PROJECT=p',
    ]);
  });

  it('its secrets, which stand in no file and on no command line', async () => {
    const secret = `s3cret-${process.pid}-${Date.now()}`;
    const plan = target.plan(planRequest({ command: shell('echo ready; sleep 600') }));
    await target.prepare(plan, prepareContext());
    await target.submit(plan, submitContext('a', { KEY: secret }));
    expect(
      execFileSync('sh', ['-c', `grep -rl "$1" "$2" || true`, 'sh', secret, workFolder], { encoding: 'utf8' }),
    ).toBe('');
    for (const pid of readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry))) {
      expect(textOf(`/proc/${pid}/cmdline`)).not.toContain(secret);
    }
    await target.kill(plan.name, 0);
  });

  it('an empty standard input, an interrupt that works, and the umask of the agent', async () => {
    const program =
      'import signal, sys, os; print(repr(sys.stdin.read()), signal.getsignal(signal.SIGINT) is signal.default_int_handler, oct(os.umask(0)))';
    const { stdout } = await run({ command: ['python', '-c', program] });
    expect(stdout).toBe(
      `'' True 0o${execFileSync('sh', ['-c', 'umask'], { encoding: 'utf8' }).trim().replace(/^0+/, '')}\n`,
    );
  });

  it('its niceness', async () => {
    expect((await run({ command: ['nice'], resourceConfig: { nice: 5 } })).stdout).toBe('5\n');
    expect(() => target.plan(planRequest({ command: ['true'], resourceConfig: { nice: 20 } }))).toThrow(/nice/);
  });

  it('variables of names that the keeper itself might use', async () => {
    const environment = { state: '1', mode: '2', name: '3', IFS: 'x', code: '4' };
    const { stdout } = await run({ command: shell('echo $state $mode $name $code'), environment });
    expect(stdout).toBe('1 2 3 4\n');
  });
});

describe('the output of a job', () => {
  it('beyond the limit is not kept, and the status says so', async () => {
    const by = open({ maxLogBytes: 64 * 1024 });
    const { stdout, status, plan } = await run(
      { command: shell('yes 0123456789 | head -c 20000000; sleep 1.5') },
      undefined,
      by,
    );
    expect(stdout).toHaveLength(64 * 1024);
    expect(status.exitCode).toBe(0);
    await until(async () => (await by.find(plan.name))?.state === 'ended');
  });

  it('goes on after the job emptied its own file', async () => {
    const gate = join(root, 'read-it');
    const plan = target.plan(
      planRequest({
        command: shell(
          `echo a long first line; until [ -e ${gate} ]; do sleep 0.02; done; echo x | tee /dev/stdout >/dev/null; echo end`,
        ),
      }),
    );
    await target.prepare(plan, prepareContext());
    await target.submit(plan, submitContext());
    let text = '';
    for await (const piece of target.logs(plan.name, 'stdout', 0, AbortSignal.timeout(60_000))) {
      text += Buffer.from(piece.data).toString();
      writeFileSync(gate, '');
    }
    expect(text).toMatch(/^a long first line\n(x\n)?end\n$/);
  });
});

describe('the sweep', () => {
  it('takes old outcomes and leaves running jobs', async () => {
    const folder = join(root, 'swept');
    const by = open({ workFolder: folder, keepMs: 0 });
    const { plan: over } = await run({ command: ['true'] }, undefined, by);
    const { plan: running } = await prepare({ command: shell('sleep 600') }, undefined, by);
    await by.submit(running, submitContext());
    await by.cleanUp(over.name);
    expect(await by.find(over.name)).toBeUndefined();
    expect(readdirSync(join(folder, 'jobs'))).toEqual([running.name]);
    await by.kill(running.name, 0);
  });
});
