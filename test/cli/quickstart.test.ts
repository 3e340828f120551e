import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cleanEnvironment, execute, freePorts, newHome, repository } from '../support/davit-up.js';

const home = newHome();
afterAll(() => home.remove());

test(
  'npm run quickstart -- --exit ends with a finished, tracked launch and stops what it started',
  { timeout: 400_000 },
  async () => {
    mkdirSync(join(home.path, 'deep'));
    const env = cleanEnvironment({ DAVIT_HOME: join(home.path, 'deep', 'new'), ...(await freePorts()) });
    const { code, stdout, stderr } = await execute('npm', ['run', '--silent', 'quickstart', '--', '--exit'], {
      env,
      cwd: repository,
      timeoutMs: 380_000,
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const end = stdout.trim().split('\n').slice(-4).join('\n');
    expect(end).toMatch(
      /^launch\s+[a-z0-9]{20}\nstate\s+finished\nloss\s+0\.\d+\naddress\s+http:\/\/127\.0\.0\.1:\d+\/api\/v1\/runs\/\S+$/,
    );
    const after = await execute(process.execPath, [join(repository, 'dist/cli/main.js'), 'env'], { env });
    expect(after.code).toBe(1);
  },
);
