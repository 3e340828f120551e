import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortOwner {
  pid: number;
  program: string;
}

/** Who listens on a TCP port of this machine, as far as we may see: other people's processes stay unknown. */
export function portOwner(port: number): PortOwner | null {
  try {
    return process.platform === 'linux' ? ownerByProc(port) : ownerByLsof(port);
  } catch {
    return null;
  }
}

function ownerByProc(port: number): PortOwner | null {
  const sockets = new Set([...listeningInodes('/proc/net/tcp', port), ...listeningInodes('/proc/net/tcp6', port)]);
  if (sockets.size === 0) return null;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const link of socketLinks(pid)) {
      if (!sockets.has(link)) continue;
      return { pid: Number(pid), program: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
    }
  }
  return null;
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  let lines: string[];
  try {
    lines = readFileSync(table, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
  return lines.flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    // 0A is LISTEN.
    return local?.endsWith(`:${wanted}`) === true && state === '0A' && inode !== undefined ? [`socket:[${inode}]`] : [];
  });
}

function socketLinks(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function ownerByLsof(port: number): PortOwner | null {
  const text = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5_000,
  });
  const pid = /^p(\d+)$/m.exec(text)?.[1];
  const program = /^c(.+)$/m.exec(text)?.[1];
  return pid === undefined ? null : { pid: Number(pid), program: program ?? 'a process' };
}
