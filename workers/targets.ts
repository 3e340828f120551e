import type { TargetName } from '../domain/words.js';
import { DavitError } from '../domain/errors.js';
import { availableTargets, openTarget } from '../targets/register.js';
import type { Target } from '../targets/target.js';

export interface TargetFolders {
  workFolder: string;
  environmentCacheFolder: string;
}

/** The targets of this agent with what is known of them at its start. */
export interface AgentTargets {
  get(name: TargetName): Target;
  report: Record<string, { place: string; ok: boolean; details: string[] }>;
  /** Names of the jobs that are charged to the agent and have not ended. */
  chargedTo(agentId: string): Promise<ReadonlySet<string>>;
}

export async function openTargets(
  folders: TargetFolders,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<AgentTargets> {
  const targets = new Map<TargetName, Target>();
  const report: AgentTargets['report'] = {};
  for (const name of availableTargets()) {
    const options = name === 'process' ? { environmentCacheFolder: folders.environmentCacheFolder } : {};
    const target = openTarget(name, { workFolder: folders.workFolder, hostEnvironment: environment, options });
    targets.set(name, target);
    report[name] = { place: await target.place(), ...(await target.check()) };
  }
  return {
    get(name) {
      const target = targets.get(name);
      if (!target) throw new DavitError('unsupported-target', `This agent has no target "${name}".`);
      return target;
    },
    report,
    async chargedTo(agentId) {
      const lists = await Promise.all([...targets.values()].map((target) => target.list(agentId)));
      return new Set(lists.flat().map((job) => job.name));
    },
  };
}
