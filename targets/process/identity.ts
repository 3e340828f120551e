import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * A process number alone is reused; with the process's start time (and the boot it belongs to) it is not. The keeper's script makes the
 * same token in shell (keeper.ts).
 */
export interface ProcessIdentity {
  pid: number;
  token: string;
}

interface ProcStat {
  group: number;
  session: number;
  startTicks: number;
}

const onLinux = process.platform === 'linux';
const run = promisify(execFile);

export interface Member {
  pid: number;
  group: number;
}

export function parseIdentity(line: string | undefined): ProcessIdentity | undefined {
  const match = /^([0-9]+) (\S+)$/.exec(line ?? '');
  return match?.[1] && match[2] ? { pid: Number(match[1]), token: match[2] } : undefined;
}

let ownIdentity: Promise<ProcessIdentity> | undefined;
/** Of the process that runs this code. */
export function self(): Promise<ProcessIdentity> {
  ownIdentity ??= identityOf(process.pid).then((found) => found ?? { pid: process.pid, token: 'unknown' });
  return ownIdentity;
}

/** undefined when the process is gone, or a zombie: it cannot do anything any more. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  if (onLinux) {
    const stat = readStat(pid);
    return stat && { pid, token: `${await bootId()}:${stat.startTicks}` };
  }
  return identityByPs(pid);
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.token === identity.token;
}

/**
 * Processes of a job that live: its session and process group, and, on Linux, whoever left both but still carries the job's name in its
 * environment. Works when the first process has ended, too.
 */
export async function membersOf(job: ProcessIdentity, marker: string): Promise<Member[]> {
  return onLinux ? membersByProc(job, marker) : membersByPs(job);
}

async function membersByProc(job: ProcessIdentity, marker: string): Promise<Member[]> {
  const [boot, startText] = splitToken(job.token);
  if (boot !== (await bootId())) return [];
  const jobStart = Number(startText);
  // The number may belong to a stranger by now; then its session and group are not ours.
  const leader = readStat(job.pid);
  const numberIsOurs = leader === undefined || leader.startTicks === jobStart;
  const members: Member[] = [];
  const others: Member[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = readStat(pid);
    if (!stat || stat.startTicks < jobStart) continue;
    const related = numberIsOurs && (stat.session === job.pid || stat.group === job.pid);
    (related ? members : others).push({ pid, group: stat.group });
  }
  const carriers = await Promise.all(others.map(async (other) => ((await carries(other.pid, marker)) ? [other] : [])));
  return [...members, ...carriers.flat()];
}

async function carries(pid: number, marker: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0').includes(marker);
  } catch {
    return false; // gone, or somebody else's
  }
}

/** Not asynchronous: the kernel answers from memory within microseconds, and there are many to ask. */
function readStat(pid: number): ProcStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The program's name may hold spaces and brackets: count from the last bracket.
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(fields[2]), session: Number(fields[3]), startTicks: Number(fields[19]) };
}

let boot: Promise<string> | undefined;
function bootId(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'latin1').then(
    (text) => text.trim(),
    () => '',
  );
  return boot;
}

const splitToken = (token: string): [string, string] => {
  const at = token.lastIndexOf(':');
  return [token.slice(0, at), token.slice(at + 1)];
};

// Elsewhere (macOS) `ps` knows the start time, to the second.

const psEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

async function identityByPs(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { env: psEnvironment });
    const [state, ...start] = stdout.trim().split(/\s+/);
    if (!state || state.startsWith('Z')) return undefined;
    return { pid, token: start.join('_') };
  } catch {
    return undefined;
  }
}

async function membersByPs(job: ProcessIdentity): Promise<Member[]> {
  const leader = await identityByPs(job.pid);
  if (leader !== undefined && leader.token !== job.token) return [];
  const { stdout } = await run('ps', ['-axo', 'pid=,pgid=,state='], { env: psEnvironment });
  return stdout.split('\n').flatMap((line) => {
    const [pid, group, state] = line.trim().split(/\s+/);
    return Number(group) === job.pid && !state?.startsWith('Z') ? [{ pid: Number(pid), group: job.pid }] : [];
  });
}
