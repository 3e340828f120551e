import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonWith } from './python.js';
import { startPython, wandbEnvironment, type PythonResult, type RunningPython } from './run-python.js';

/** Versions in the field: the oldest and newest of each way of talking to a server. */
export const wandbVersions = ['0.19.11', '0.22.3', '0.25.1', '0.28.2', '0.31.0'] as const;
export type WandbVersion = (typeof wandbVersions)[number];
export const oldestWandb: WandbVersion = '0.19.11';
export const newestWandb: WandbVersion = '0.31.0';

export const wandbPython = (version: WandbVersion): Promise<string> =>
  pythonWith(join('wandb-clients', version), [`wandb==${version}`]);

/** Runs a script with a real client, in a folder of its own, with nothing of this machine's wandb settings. */
export async function startWandbScript(
  version: WandbVersion,
  script: string,
  api: { url: string; key: string },
  environment: Record<string, string> = {},
): Promise<RunningPython> {
  const python = await wandbPython(version);
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-script-'));
  await writeFile(join(folder, 'train.py'), script);
  return startPython(python, ['train.py'], {
    folder,
    env: { ...wandbEnvironment(folder, api), ...environment },
    onEnd: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  });
}

export const runWandbScript = async (...args: Parameters<typeof startWandbScript>): Promise<PythonResult> =>
  (await startWandbScript(...args)).done;
