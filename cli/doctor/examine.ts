import { defaultHome, homeAt } from '../stack/home.js';
import { checkPostgres, checkTemporal } from './backends.js';
import { checkBuilder } from './builder.js';
import { missing } from './check.js';
import { checkDocker } from './docker.js';
import type { Check } from './check.js';
import { checkFolder, checkNode, checkPorts, checkPython } from './machine.js';
import { checkStack } from './stack.js';

/** Everything that Davit needs on this machine, and the stack that runs on it. */
export async function examine(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const home = homeAt(defaultHome(env));
  const checks = await Promise.all([
    one('node', () => [checkNode()]),
    one('python', () => checkPython(env)),
    one('temporal', async () => [await checkTemporal(env, home)]),
    one('postgresql', async () => [await checkPostgres(env, home)]),
    one('docker', async () => [await checkDocker(env)]),
    one('builder', async () => [await checkBuilder(env)]),
    one('data folder', () => checkFolder(home)),
    one('ports', () => checkPorts(home)),
    one('stack', () => checkStack(env)),
  ]);
  return checks.flat();
}

/** A check that breaks is a finding, not the end of the others. */
async function one(name: string, check: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await check();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fix =
      error instanceof Error && 'entry' in error ? (error.entry as { fix: string }).fix : 'See the sentence above.';
    return [missing(name, reason, fix)];
  }
}
