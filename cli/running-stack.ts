import { join } from 'node:path';
import { readIfThere } from './stack/files.js';
import { defaultHome, homeAt } from './stack/home.js';
import type { Home } from './stack/home.js';
import { lockHolder } from './stack/lock.js';
import { readPorts } from './stack/ports.js';
import { apiUrlOf } from './up-children.js';

export interface RunningStack {
  home: Home;
  pid: number;
  since: string;
  url: string;
  key: string;
}

/** The embedded stack that runs on this data folder; null when none does, or it has not come far enough to have keys. */
export function runningStack(env: NodeJS.ProcessEnv): RunningStack | null {
  const home = homeAt(defaultHome(env));
  const holder = lockHolder(home.run);
  const ports = readPorts(home.run);
  const key = readIfThere(join(home.keys, 'admin'))?.trim();
  if (holder === null || ports === null || key === undefined || key === '') return null;
  return { home, pid: holder.pid, since: holder.since, url: apiUrlOf(ports.api), key };
}
