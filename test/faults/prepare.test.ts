import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { begunOf } from '../../cli/stack/process-identity.js';
import { CountingJob } from '../support/counting-job.js';
import { Stack } from '../support/stack.js';
import { until } from '../support/until.js';
import { expectAllSlotsFree, expectAllWell } from './support/all-well.js';

let stack: Stack;
let plain: CountingJob;
beforeAll(async () => {
  stack = await Stack.start();
  plain = await CountingJob.make(stack);
  for (const queue of ['killed', 'drained', 'cancelled']) await stack.queue(queue);
});
afterAll(() => stack.stop());

/** A job whose requirements take until somebody lets them go on. Nothing is asked of any index. */
async function slowToPrepare(name: string) {
  const pids = join(stack.folder, `${name}.pids`);
  const go = join(stack.folder, `${name}.go`);
  const backend = `
import os, time, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open(${JSON.stringify(pids)}, "a") as f:
        f.write(f"{os.getpid()}\\n")
    while not os.path.exists(${JSON.stringify(go)}):
        time.sleep(0.05)
    with zipfile.ZipFile(os.path.join(folder, "slow-1-py3-none-any.whl"), "w") as z:
        z.writestr("slow.py", "")
        z.writestr("slow-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1\\n")
        z.writestr("slow-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        z.writestr("slow-1.dist-info/RECORD", "")
    return "slow-1-py3-none-any.whl"
`;
  const job = await CountingJob.make(stack, name, {
    'requirements.txt': './pkg\n',
    'pkg/pyproject.toml':
      '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "slow"\nversion = "1"\n',
    'pkg/backend.py': backend,
  });
  const builders = (): number[] =>
    existsSync(pids) ? readFileSync(pids, 'utf8').split('\n').slice(0, -1).map(Number) : [];
  return { job, builders, letGo: () => appendFileSync(go, '') };
}

const nthBuilder = (builders: () => number[], n: number): Promise<number> =>
  until(() => builders()[n - 1], { what: `builder ${n} of the requirements`, ms: 90_000 });

const untilGone = (builder: number) => until(() => begunOf(builder) === null, { what: 'the installer to be gone' });

describe('while a job is being prepared', () => {
  test('kill -9 of the agent leaves no installer behind, and the launch runs once from its own place', async () => {
    const { job, builders, letGo } = await slowToPrepare('slow-killed');
    const id = await job.enqueue('killed');
    const first = await nthBuilder(builders, 1);
    await stack.killAndWait('agent');
    await untilGone(first);

    await nthBuilder(builders, 2);
    expect((await stack.show(id)).state).toBe('preparing');
    letGo();
    await expectAllWell(stack, job, 'killed', [{ id }]);
    expect((await stack.show(id)).attempt).toBe(1);
    await expectAllSlotsFree(stack, plain, 'killed', 1);
  });

  test('an agent that is told to stop gives the launch back, and it runs once on the next', async () => {
    const { job, builders, letGo } = await slowToPrepare('slow-drained');
    const id = await job.enqueue('drained');
    const first = await nthBuilder(builders, 1);
    await stack.killAndWait('agent', 'SIGTERM');
    await untilGone(first);

    await nthBuilder(builders, 2);
    letGo();
    await expectAllWell(stack, job, 'drained', [{ id }]);
    expect((await stack.show(id)).attempt).toBe(1);
    await expectAllSlotsFree(stack, plain, 'drained', 1);
  });

  test('a cancel leaves no installer and no job', async () => {
    const { job, builders, letGo } = await slowToPrepare('slow-cancelled');
    const id = await job.enqueue('cancelled');
    const builder = await nthBuilder(builders, 1);
    await stack.cancel(id);
    expect(await stack.ended(id)).toMatchObject({ state: 'stopped', failure: { code: 'cancelled' } });
    await untilGone(builder);
    letGo();
    await expectAllWell(stack, job, 'cancelled', [{ id, state: 'stopped' }]);
    await expectAllSlotsFree(stack, plain, 'cancelled', 1);
  });
});
