import { DavitError } from '../../domain/errors.js';
import { Changes } from './changes.js';
import { isAlive, type Member, membersOf, type ProcessIdentity } from './identity.js';
import { jobMarker } from './keeper.js';
import { type Layout, makeFolder, touch } from './layout.js';
import { killedFile, readJob, statusOf, tombstoneFile, voidGeneration } from './state.js';

/** A process in an uninterruptible call (a dead network disk) survives SIGKILL; the caller is told and tries again later. */
const unkillableAfterMs = 60_000;

/** What was started under the name; from here on nothing else is. */
export async function closeName(layout: Layout, name: string) {
  const folder = layout.job(name);
  await layout.ensure();
  await makeFolder(folder.state);
  // First of all: from here on nothing starts under this name.
  await touch(tombstoneFile(folder));

  let files = await readJob(folder);
  while (files?.started === 'no') {
    if (await voidGeneration(folder, files.generation)) return undefined;
    files = await readJob(folder);
  }
  return typeof files?.started === 'object' ? { ...files, started: files.started } : undefined;
}

export async function killJob(layout: Layout, name: string, graceMs: number): Promise<boolean> {
  const folder = layout.job(name);
  const files = await closeName(layout, name);
  if (!files || files.exit) return false;

  await touch(killedFile(folder));
  const ownGraceSeconds = files.claim.graceSeconds;
  const patienceMs = graceMs === 0 || ownGraceSeconds === undefined ? graceMs : ownGraceSeconds * 1000;
  const changes = new Changes([folder.state]);
  try {
    await endProcesses(files.started.job, name, patienceMs, changes);
    // The keeper writes the outcome; if it is dead, statusOf does.
    while ((await statusOf(folder))?.state !== 'ended') await changes.next(20);
  } finally {
    changes.close();
  }
  return true;
}

/** SIGTERM to all of the job, SIGKILL to what is left after the grace. Returns when nothing of it lives. */
export async function endProcesses(
  job: ProcessIdentity,
  name: string,
  graceMs: number,
  changes: Changes,
): Promise<void> {
  const marker = jobMarker(name);
  const startedAtMs = Date.now();
  const deadlineMs = startedAtMs + graceMs;
  let waitMs = 5;
  if (graceMs > 0) signalAll(job, await membersOf(job, marker), 'SIGTERM');
  for (;;) {
    // The first process is cheap to look at; all the others only when it has gone, or when time is up.
    const nowMs = Date.now();
    if (nowMs >= deadlineMs || !(await isAlive(job))) {
      const left = await membersOf(job, marker);
      if (left.length === 0) return;
      if (Date.now() >= deadlineMs) signalAll(job, left, 'SIGKILL');
      if (nowMs > deadlineMs + unkillableAfterMs) {
        throw new DavitError(
          'internal',
          `Processes ${left.map((member) => member.pid).join(', ')} of ${name} do not end, not even by SIGKILL.`,
        );
      }
    }
    await changes.next(nowMs >= deadlineMs ? waitMs : Math.max(1, Math.min(waitMs, deadlineMs - nowMs)));
    waitMs = Math.min(waitMs * 2, 100);
  }
}

/** The group in one stroke, so that nobody forks away between two signals; whoever left the group by number. */
function signalAll(job: ProcessIdentity, members: readonly Member[], name: 'SIGTERM' | 'SIGKILL'): void {
  if (members.some((member) => member.group === job.pid)) signal(-job.pid, name);
  for (const { pid, group } of members) if (group !== job.pid) signal(pid, name);
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime.
  }
}
