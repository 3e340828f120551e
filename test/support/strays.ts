import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { begunOf } from '../../cli/stack/process-identity.js';
import { commandLineOf } from '../../cli/stack/process-list.js';

export interface Stray {
  pid: number;
  launchId: string | undefined;
  commandLine: string;
}

/**
 * Processes that belong to jobs of one stack: keepers and jobs carry its address in their environment, installers work below the folder of
 * their job. The parts of the stack do neither.
 */
export function jobProcesses(stack: { apiUrl: string; workFolder: string }): Stray[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || begunOf(pid) === null) return [];
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      const isJob = environment.includes(`WANDB_BASE_URL=${stack.apiUrl}`);
      if (!isJob && !readlinkSync(`/proc/${pid}/cwd`).startsWith(`${stack.workFolder}/`)) return [];
      const launchId = environment.find((entry) => entry.startsWith('DAVIT_LAUNCH_ID='))?.split('=')[1];
      return [{ pid, launchId, commandLine: commandLineOf(pid) ?? '' }];
    } catch {
      return []; // Gone in this moment, or a kernel's.
    }
  });
}
