import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A pid alone names nobody: numbers are used again. A process is named by its pid together with the moment it began,
 * and on Linux with the boot, because start times there count from it.
 */
export interface ProcessIdentity {
  pid: number;
  begun: string;
}

/** The moment a living process began, or null when there is none. A zombie does nothing any more and counts as dead. */
export function begunOf(pid: number): string | null {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return process.platform === 'linux' ? begunByProc(pid) : begunByPs(pid);
}

function begunByProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field, the program's name, may itself hold spaces and brackets: count from its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || state === 'Z' || state === 'X') return null;
  return `${bootId()}:${startTicks}`;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown-boot';
  }
}

function begunByPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    }).trim();
    const [state, ...begun] = line.split(/\s+/);
    if (state === undefined || begun.length === 0 || state.startsWith('Z')) return null;
    return begun.join(' ');
  } catch {
    return null;
  }
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return begunOf(identity.pid) === identity.begun;
}

export interface StopStep {
  signal: NodeJS.Signals;
  graceMs: number;
}

/** Ends a process that is not our child (so it cannot be waited for, only looked at). True when it is gone. */
export async function endProcess(identity: ProcessIdentity, steps: readonly StopStep[]): Promise<boolean> {
  for (const step of steps) {
    if (!isSameProcess(identity)) return true;
    try {
      process.kill(identity.pid, step.signal);
    } catch {
      // Gone in between, or not ours to end: the next look tells.
    }
    const deadline = Date.now() + step.graceMs;
    while (Date.now() < deadline) {
      if (!isSameProcess(identity)) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return !isSameProcess(identity);
}
