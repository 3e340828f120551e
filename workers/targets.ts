import type { Logger } from 'pino';
import type { TargetName } from '../domain/words.js';
import { DavitError } from '../domain/errors.js';
import { availableTargets, openTarget } from '../targets/register.js';
import type { Target } from '../targets/target.js';

export interface TargetFolders {
  workFolder: string;
  environmentCacheFolder: string;
}

export type TargetReport = Record<string, { place: string; ok: boolean; details: string[] }>;

/** The targets of this agent with what is known of them. */
export interface AgentTargets {
  get(name: TargetName): Target;
  report: TargetReport;
  /** Names of the jobs that are charged to the agent and have not ended. */
  chargedTo(agentId: string): Promise<ReadonlySet<string>>;
  /** Looks again at what can change while the agent runs; true: the report did. */
  refresh?(): Promise<boolean>;
}

/** A target of this machine is what it is; one behind a socket comes and goes. */
const changing: readonly TargetName[] = ['docker'];

/**
 * Opens every target there is. One whose place nobody can tell, because it has never answered here, is left out until it does: nobody can have
 * jobs there.
 */
export async function openTargets(
  folders: TargetFolders,
  environment: Readonly<Record<string, string | undefined>>,
  options: Partial<Record<TargetName, Record<string, unknown>>>,
  log: Logger,
): Promise<AgentTargets> {
  const targets = new Map<TargetName, Target>();
  const report: TargetReport = {};
  /** What was last charged at each, for when it does not answer. */
  const charged = new Map<TargetName, readonly string[]>();
  for (const name of availableTargets()) {
    const own = name === 'process' ? { environmentCacheFolder: folders.environmentCacheFolder } : {};
    const target = openTarget(name, {
      workFolder: folders.workFolder,
      hostEnvironment: environment,
      options: { ...own, ...options[name] },
    });
    targets.set(name, target);
    await look(name, target);
  }

  async function look(name: TargetName, target: Target): Promise<boolean> {
    const before = JSON.stringify(report[name]);
    try {
      const { ok, details } = await target.check();
      report[name] = { place: await target.place(), ok, details };
    } catch (error) {
      if (!changing.includes(name)) throw error;
      // Once placed, it stays placed: its jobs are looked for there when it is back.
      const known = report[name];
      if (known) report[name] = { ...known, ok: false };
    }
    const changed = JSON.stringify(report[name]) !== before;
    const { ok = false, details = [] } = report[name] ?? {};
    if (changed && before !== undefined)
      log[ok ? 'info' : 'warn']({ target: name, details }, ok ? 'can run jobs' : 'cannot run jobs');
    return changed;
  }

  return {
    get(name) {
      const target = targets.get(name);
      if (!target) throw new DavitError('unsupported-target', `This agent has no target "${name}".`);
      return target;
    },
    report,
    async chargedTo(agentId) {
      await Promise.all(
        [...targets].map(async ([name, target]) => {
          if (report[name] === undefined) return;
          try {
            charged.set(
              name,
              (await target.list(agentId)).map((job) => job.name),
            );
          } catch (error) {
            if (!changing.includes(name)) throw error;
          }
        }),
      );
      return new Set([...charged.values()].flat());
    },
    async refresh() {
      const changes = await Promise.all(
        [...targets].filter(([name]) => changing.includes(name)).map(([name, target]) => look(name, target)),
      );
      return changes.includes(true);
    },
  };
}
