import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { buildTargets } from './built.js';
import { outputOf, planRequest, prepareContext, submitContext } from './jobs.js';
import { AgentProcess } from './process-agent.js';
import { processFixture } from './process-fixture.js';

const wheels = mkdtempSync(join(tmpdir(), 'davit-wheels-'));
// No index: what the tests install, they made.
const pipSettings = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels };
const { root, workFolder, target, open, archiveOf, prepare, run, remove } = processFixture(pipSettings);
let built: ReturnType<typeof buildTargets>;

beforeAll(() => {
  built = buildTargets();
  makeWheel('davit_probe', '1.0', 'value = 42\n');
});
afterAll(() => {
  built.remove();
  remove();
  rmSync(wheels, { recursive: true, force: true });
});

/** A wheel is a zip file with three files of metadata; Python knows how to zip. */
function makeWheel(name: string, version: string, source: string): void {
  const info = `${name}-${version}.dist-info`;
  const files = {
    [`${name}.py`]: source,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: '',
  };
  const script =
    'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n    [z.writestr(k, v) for k, v in json.loads(sys.argv[2]).items()]';
  execFileSync('python3', ['-c', script, join(wheels, `${name}-${version}-py3-none-any.whl`), JSON.stringify(files)]);
}

/** A package whose build says who it is and then takes for ever. It needs nothing, so no index is asked. */
const slowPackage = (marker: string): Record<string, string> => ({
  'pkg/pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n',
  'pkg/slow.py': `import os, time\nopen(${JSON.stringify(marker)}, "w").write(str(os.getpid()))\ntime.sleep(600)\n`,
});

describe('the Python environment', () => {
  it("is the agent's own when the job names no requirements, and the log says so", async () => {
    const { log } = await prepare({ command: ['python', '-c', 'pass'], requirements: '\n# nothing\n' });
    expect(log).toContain('names no requirements');
  });

  it('holds what the job requires, is made once by two agents at once, and is found again', async () => {
    const requirements = 'davit-probe==1.0  # the probe\n';
    const command = [
      'python',
      '-c',
      'import davit_probe, sys, os; print(davit_probe.value, sys.prefix == os.environ["VIRTUAL_ENV"])',
    ];
    const plans = [1, 2].map(() => target.plan(planRequest({ command, requirements })));
    const agents = await Promise.all(
      plans.map((plan) => new AgentProcess(built.folder, workFolder, 'prepare', { plan }, pipSettings).ready()),
    );
    for (const agent of agents) agent.go();
    const logs = await Promise.all(agents.map(async (agent) => String(await agent.answer())));
    await Promise.all(agents.map((agent) => agent.kill9()));
    expect(logs.filter((log) => log.includes('Building a Python'))).toHaveLength(1);
    for (const plan of plans) {
      await target.submit(plan, submitContext());
      expect(await outputOf(target, plan.name)).toBe('42 True\n');
    }
    // The same requirements in other words.
    const again = await run({ command, requirements: '# hello\ndavit-probe==1.0\n\n' });
    expect(again.log).toContain('is there already');
    expect(again.stdout).toBe('42 True\n');
    const lock = /: (\/.*)\n$/.exec(again.log)?.[1] ?? '';
    expect(readFileSync(join(lock, 'requirements.lock'), 'utf8')).toContain('davit');
  });

  it('is made again when it was damaged', async () => {
    const requirements = 'davit_probe>=1';
    const command = ['python', '-c', 'import davit_probe'];
    const first = await run({ command, requirements });
    const folder = /: (\/.*)\n$/.exec(first.log)?.[1] ?? '';
    rmSync(folder, { recursive: true });
    const second = await run({ command, requirements });
    expect(second.log).toContain('Building a Python');
    expect(second.status.exitCode).toBe(0);
  });

  it('that cannot be made names the requirement', async () => {
    const attempt = prepare({ command: ['python', '-c', 'pass'], requirements: 'davit-probe==9\n' });
    await expect(attempt).rejects.toMatchObject({
      code: 'requirements-failed',
      message: 'The requirements could not be installed: No matching distribution found for davit-probe==9.',
      details: { stage: 'prepare' },
    });
    const nonsense = prepare({ command: ['python', '-c', 'pass'], requirements: 'this is no requirement\n' });
    await expect(nonsense).rejects.toMatchObject({
      code: 'requirements-failed',
      message: expect.stringContaining('this is no requirement'),
    });
  });

  it('tells an index that is away from a requirement that is wrong', async () => {
    const settings = {
      PIP_INDEX_URL: 'http://user:secret@127.0.0.1:9/simple',
      PIP_RETRIES: '1',
      PIP_FIND_LINKS: wheels,
    };
    const away = open({ hostEnvironment: { ...process.env, ...settings } });
    const error: unknown = await prepare(
      { command: ['python', '-c', 'pass'], requirements: 'davit-none==1' },
      undefined,
      away,
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'package-index-unreachable' });
    expect(String(error)).not.toContain('secret');
  });

  it('may name files of the code, and is then not shared', async () => {
    const archive = await archiveOf({ 'more.txt': 'davit-probe==1.0\n' });
    const { stdout, log } = await run(
      { command: ['python', '-c', 'import davit_probe; print(davit_probe.value)'], requirements: '-r more.txt' },
      archive,
    );
    expect(stdout).toBe('42\n');
    expect(log).toContain(join(workFolder, 'jobs'));
  });

  it('without any Python says what was looked for', async () => {
    const bare = open({ hostEnvironment: { PATH: '/nonexistent' } });
    await expect(
      prepare({ command: ['python', '-c', 'pass'], pythonVersion: '3.9' }, undefined, bare),
    ).rejects.toMatchObject({
      code: 'python-missing',
      message: expect.stringContaining('python3.9, python3, python'),
    });
    expect((await bare.check()).details.join(' ')).toContain('No Python 3');
  });

  it('of another version than the job wishes is taken, and the log says so', async () => {
    const { log } = await prepare({ command: ['python', '-c', 'pass'], pythonVersion: '3.99' });
    expect(log).toContain('wishes Python 3.99, which is not on this machine');
  });

  it('being built when the launch is cancelled leaves no process and no half environment', async () => {
    const marker = join(root, 'building');
    const archive = await archiveOf(slowPackage(marker));
    const abort = new AbortController();
    const plan = target.plan(
      planRequest({ command: ['python', '-c', 'pass'], requirements: './pkg', codeDigest: 'ef' }),
    );
    const preparing = target.prepare(
      plan,
      prepareContext({ signal: abort.signal, fetchCode: async (to) => copyFileSync(archive, to) }),
    );
    const settled = preparing.catch((error: unknown) => error);
    const pid = Number(
      await until(() => existsSync(marker) && readFileSync(marker, 'utf8'), { what: 'the build', ms: 60_000 }),
    );
    abort.abort();
    expect(await settled).toMatchObject({ name: 'AbortError' });
    await until(() => !existsSync(`/proc/${pid}`), { what: 'the end of the build' });
    await target.kill(plan.name, 0);
    await target.cleanUp(plan.name);
    expect(readdirSync(join(workFolder, 'jobs', plan.name))).toEqual(['state']);
  });

  it('being built when the agent is killed leaves no process, and the next agent builds it', async () => {
    const marker = join(root, 'building-again');
    const archive = await archiveOf(slowPackage(marker));
    const plan = target.plan(
      planRequest({ command: ['python', '-c', 'pass'], requirements: './pkg', codeDigest: 'ef' }),
    );
    const agent = await new AgentProcess(
      built.folder,
      workFolder,
      'prepare',
      { plan, code: archive },
      pipSettings,
    ).ready();
    agent.go();
    const pid = Number(
      await until(() => existsSync(marker) && readFileSync(marker, 'utf8'), { what: 'the build', ms: 60_000 }),
    );
    await agent.kill9();
    await until(() => !existsSync(`/proc/${pid}`), { what: 'the end of the build' });
    // The lock of the dead agent does not hold the next one up.
    const abort = new AbortController();
    let log = '';
    const next = target
      .prepare(plan, prepareContext({ signal: abort.signal, onLog: (text) => (log += text) }))
      .catch((error: unknown) => error);
    await until(() => log.includes('Building a Python'), { what: 'the second build', ms: 60_000 });
    abort.abort();
    await next;
  });
});
