import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Scenario } from './scenario.js';

export const cliScenarios: Scenario[] = [
  {
    name: 'cli-login-pull',
    promise:
      '`wandb login` accepts and keeps a key, `wandb status` answers, and `wandb pull` fetches the files of a run.',
    async run({ api, project, folder, python, wandb }) {
      const login = await wandb(['login', '--relogin', '--host', api.url, api.key], { env: { WANDB_API_KEY: '' } });
      expect(login.output).not.toMatch(/error|invalid/i);
      expect(await readFile(join(folder, '.netrc'), 'utf8')).toContain(api.key);
      expect((await wandb(['status'])).output).toContain(api.url);
      await python(`
import wandb
run = wandb.init(id="pulled")
with open("weights.txt", "w") as file: file.write("weights")
run.save("weights.txt", policy="now")
run.finish()
`);
      await wandb(['pull', 'pulled', '--project', project, '--entity', 'ada']);
      expect(await readFile(join(folder, 'weights.txt'), 'utf8')).toBe('weights');
    },
  },
  {
    name: 'cli-artifact',
    promise: '`wandb artifact put`, `ls` and `get` make a version of a folder or a file, list it and fetch it.',
    async run({ project, folder, python, wandb }) {
      await python(`
import os
os.makedirs("set/deep")
with open("set/a.txt", "w") as file: file.write("first")
with open("set/deep/b.txt", "w") as file: file.write("second")
`);
      const set = `${project}/flowers`;
      const put = await wandb(['artifact', 'put', '--name', set, '--type', 'dataset', '--alias', 'kept', 'set']);
      expect(put.output).toContain(`ada/${set}:v0`);
      await wandb(['artifact', 'put', '--name', `${project}/one`, '--type', 'model', 'set/a.txt']);
      const listed = (await wandb(['artifact', 'ls', `ada/${project}`])).output;
      expect(listed).toMatch(/dataset.*flowers:v0/);
      expect(listed).toMatch(/model.*one:v0/);
      const models = (await wandb(['artifact', 'ls', '--type', 'model', `ada/${project}`])).output;
      expect(models).not.toContain('flowers');
      await wandb(['artifact', 'get', `ada/${set}:kept`, '--root', 'got']);
      expect(await readFile(join(folder, 'got', 'deep', 'b.txt'), 'utf8')).toBe('second');
    },
  },
  {
    name: 'cli-restore',
    promise:
      '`wandb restore` puts a repository back to the commit and the changes that a run was made of, with its config.',
    async run({ project, folder, python, wandb }) {
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.test', ...args], { cwd: folder });
      const file = join(folder, 'model.txt');
      await writeFile(file, 'as committed\n');
      git('init', '--quiet');
      git('init', '--quiet', '--bare', 'origin.git');
      git('remote', 'add', 'origin', join(folder, 'origin.git'));
      git('add', 'model.txt');
      git('commit', '--quiet', '--message', 'first');
      git('push', '--quiet', 'origin', 'HEAD');
      await writeFile(file, 'as the run had it\n');
      await python(`
import wandb
with wandb.init(id="tried", config={"lr": 0.25}, save_code=True) as run:
    run.log({"loss": 1})
`);
      git('checkout', '--quiet', 'model.txt');
      git('commit', '--quiet', '--allow-empty', '--message', 'second');
      const restored = await wandb(['restore', `ada/${project}/tried`]);
      expect(restored.output).toContain('Applied patch');
      expect(await readFile(file, 'utf8')).toBe('as the run had it\n');
      expect(await readFile(join(folder, 'wandb', 'config.yaml'), 'utf8')).toContain('0.25');
    },
  },
];
