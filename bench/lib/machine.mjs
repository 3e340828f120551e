// What the machine is, how busy it is, and what one process uses. The figures of processes come from /proc and are missing elsewhere.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

const ticksPerSecond = (() => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
})();

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

export const machine = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
  system: `${platform()} ${release()} ${arch()}`,
});

/** The fields of /proc/<pid>/stat behind the program's name, which may itself hold blanks and brackets. */
function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** CPU time used so far by the process and, as far as it has waited for them, by its children that have ended, in ms. */
export function cpuMsOf(pid) {
  const fields = statOf(pid);
  if (!fields) return undefined;
  return (fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 1000) / ticksPerSecond;
}

export const groupOf = (pid) => Number(statOf(pid)?.[2]);

/** The process and everything below it. */
export function treeOf(pid) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(name)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]) ?? []));
  return found;
}

/** Resident bytes; `pss` counts pages that processes share (PostgreSQL's buffers) once. */
export function memoryOf(pids) {
  let rss = 0;
  let pss = 0;
  for (const pid of pids) {
    const text = read(`/proc/${pid}/smaps_rollup`) ?? read(`/proc/${pid}/status`) ?? '';
    const kib = (field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const own = kib('Rss') || kib('VmRSS');
    rss += own * 1024;
    pss += (kib('Pss') || own) * 1024;
  }
  return { rss, pss };
}

/** Busy and whole time of all cores so far, in ticks. */
function coreTicks() {
  const fields = read('/proc/stat')?.split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number);
  if (!fields) return { busy: 0, whole: 0 };
  const whole = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { busy: whole - fields[3] - fields[4], whole };
}

/**
 * Load average, how busy the cores were, and how much of that were programs that are not ours, from now until `stop`. Ours is everything below
 * this process; only what its agent left behind when it was killed counts as somebody else's.
 */
export function watchLoad() {
  const before = loadavg()[0];
  const begun = coreTicks();
  const begunAt = performance.now();
  const ownBefore = ownCpuMs();
  let highest = before;
  const timer = setInterval(() => (highest = Math.max(highest, loadavg()[0])), 1_000);
  timer.unref();
  return () => {
    clearInterval(timer);
    const now = coreTicks();
    const wallMs = performance.now() - begunAt;
    const busyMs = ((now.busy - begun.busy) * 1000) / ticksPerSecond;
    return {
      before: round(before),
      highest: round(Math.max(highest, loadavg()[0])),
      coresBusy: now.whole === begun.whole ? null : round((now.busy - begun.busy) / (now.whole - begun.whole)),
      others: now.whole === begun.whole ? null : round(Math.max(0, busyMs - (ownCpuMs() - ownBefore)) / wallMs),
    };
  };
}

const ownCpuMs = () =>
  process.platform === 'linux' ? treeOf(process.pid).reduce((sum, pid) => sum + (cpuMsOf(pid) ?? 0), 0) : 0;

const round = (value) => Math.round(value * 100) / 100;
