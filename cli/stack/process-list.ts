import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ListedProcess {
  pid: number;
  /** Program and arguments joined by spaces, as `ps` shows them. */
  commandLine: string;
}

export function commandLineOf(pid: number): string | null {
  if (process.platform !== 'linux') return listByPs().find((entry) => entry.pid === pid)?.commandLine ?? null;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return null;
  }
}

/** Processes of this machine that run exactly this command line. */
export function withCommandLine(commandLine: string): ListedProcess[] {
  const all = process.platform === 'linux' ? listByProc() : listByPs();
  return all.filter((entry) => entry.pid !== process.pid && entry.commandLine === commandLine);
}

function listByProc(): ListedProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const commandLine = commandLineOf(Number(name));
      return commandLine === null ? [] : [{ pid: Number(name), commandLine }];
    });
}

function listByPs(): ListedProcess[] {
  try {
    const text = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 });
    return text.split('\n').flatMap((line) => {
      const match = /^\s*(\d+)\s+(.*)$/.exec(line);
      return match?.[1] === undefined || match[2] === undefined
        ? []
        : [{ pid: Number(match[1]), commandLine: match[2] }];
    });
  } catch {
    return [];
  }
}
