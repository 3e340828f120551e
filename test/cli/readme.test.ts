import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newestWandb, wandbPython } from '../support/wandb-clients.js';
import {
  buildProgram,
  cleanEnvironment,
  davitProgram,
  DavitUp,
  execute,
  newHome,
  repository,
} from '../support/davit-up.js';

const home = newHome();
let up: DavitUp;
beforeAll(async () => {
  await buildProgram();
  up = await DavitUp.start(home.path);
});
afterAll(async () => {
  await up.stop();
  home.remove();
});

/** The fenced block behind `<!-- test: NAME -->`, exactly as it stands there. */
function linesOf(name: string): string {
  const text = readFileSync(join(repository, 'README.md'), 'utf8');
  const block = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) throw new Error(`README.md has no block "${name}"`);
  return block;
}

interface Launch {
  id: string;
  state: string;
  timeline: { type: string; sentence: string }[];
  run: { url: string } | null;
}

describe('the README', () => {
  test('its curl lines take a folder to a finished, tracked launch', { timeout: 300_000 }, async () => {
    const env = cleanEnvironment({ DAVIT_HOME: home.path });
    const { code, stdout, stderr } = await execute('sh', ['-e', '-c', linesOf('curl')], { env, timeoutMs: 280_000 });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('120 flowers to learn from');
    expect(stdout).toMatch(/^event: end$/m);
    const launch = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Launch;
    expect(launch.state).toBe('finished');
    expect(launch.timeline.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['queued', 'claimed', 'preparing', 'running', 'finished']),
    );

    const run = (await (
      await fetch(new URL(launch.run?.url ?? '', up.url), { headers: { Authorization: `Bearer ${up.key}` } })
    ).json()) as { state: string; config: Record<string, unknown>; summary: Record<string, unknown>; launchId: string };
    // The overrides have reached wandb.config over the defaults of the script.
    expect(run).toMatchObject({
      state: 'finished',
      launchId: launch.id,
      config: { epochs: 100, learning_rate: 0.02, hidden: 16 },
    });
    expect(run.summary['loss']).toBeTypeOf('number');
  });

  test(
    'a plain wandb script in a shell with its first line is a tracked run, without a launch',
    { timeout: 300_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'davit-script-'));
      writeFileSync(
        join(folder, 'my_script.py'),
        `import wandb\nrun = wandb.init(project="plain", config={"a": 1})\nfor i in range(5): run.log({"x": i * i})\nprint("said it")\nrun.finish()\n`,
      );
      const python = await wandbPython(newestWandb);
      const env = cleanEnvironment({
        DAVIT_HOME: home.path,
        NODE: process.execPath,
        DAVIT: davitProgram,
        PYTHON: python,
      });
      const line = 'eval "$("$NODE" "$DAVIT" env)"; "$PYTHON" my_script.py';
      const ran = await execute('sh', ['-e', '-c', line], { env, cwd: folder, timeoutMs: 200_000 });
      rmSync(folder, { recursive: true, force: true });
      expect(ran).toMatchObject({ code: 0 });
      const { data: runs } = await up.client.GET('/runs', { params: { query: { project: 'plain' } } });
      const run = runs?.items[0];
      expect(run).toMatchObject({ state: 'finished', config: { a: 1 }, summary: { x: 16 }, launchId: null });
      const path = { entity: run?.entity ?? '', project: 'plain', run: run?.name ?? '' };
      const { data: history } = await up.client.GET('/runs/{entity}/{project}/{run}/history', { params: { path } });
      expect(history?.lines.map(({ values }) => values['x'])).toEqual([0, 1, 4, 9, 16]);
      const { data: printed } = await up.client.GET('/runs/{entity}/{project}/{run}/console', { params: { path } });
      expect(printed?.lines.map(({ text }) => text).join('')).toContain('said it');
    },
  );
});
