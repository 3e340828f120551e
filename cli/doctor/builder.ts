import { agentSettings } from '../config/agent.js';
import { buildersOf, builderSettings } from '../config/builders.js';
import { loadConfig } from '../config/load.js';
import { note, ok } from './check.js';
import type { Check } from './check.js';

/** What an agent that is started with this environment would build with. */
export async function checkBuilder(env: NodeJS.ProcessEnv): Promise<Check> {
  const settings = { ...builderSettings, dockerEngine: agentSettings.dockerEngine };
  const { values } = loadConfig('agent', settings, { flags: {}, env });
  const { ok: can, details } = await buildersOf(values, env).of(undefined).check();
  return can
    ? ok('builder', `${values.builder}: ${details.join(' ')}`)
    : note('builder', `${values.builder} cannot build images of code: ${details.join(' ')}`);
}
