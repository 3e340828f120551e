import { readdirSync } from 'node:fs';
import { begunOf } from '../../../cli/stack/process-identity.js';
import { commandLineOf } from '../../../cli/stack/process-list.js';

/** Living processes whose command line names a path: what belongs to a data folder, also what lost its parent. */
export function processesNaming(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const commandLine = commandLineOf(Number(name)) ?? '';
      return commandLine.includes(path) && begunOf(Number(name)) !== null ? [`${name} ${commandLine}`] : [];
    });
}
