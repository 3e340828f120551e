import { readFile } from 'node:fs/promises';
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
];
