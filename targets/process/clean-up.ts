import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobStatus } from '../../domain/job-plan.js';
import { parseRemoteName } from '../../domain/ids.js';
import { Changes } from './changes.js';
import { endProcesses } from './kill.js';
import { type JobFolder, type Layout, makeFolder, orUndefined, randomName } from './layout.js';
import { readJob, statusOf } from './state.js';

/** What a job left running (a service of the wandb client that still sends) has this long to end by itself. */
const leftoverGraceMs = 5_000;
const sweepEveryMs = 10 * 60_000;

/** Jobs of the agent that have not ended. Reads the index, never the thousands of old folders. */
export async function listJobs(layout: Layout, agentId: string): Promise<JobStatus[]> {
  const jobs: JobStatus[] = [];
  for (const name of (await orUndefined(readdir(layout.live))) ?? []) {
    if (!parseRemoteName(name)) continue;
    const folder = layout.job(name);
    const status = await statusOf(folder);
    if (status?.state === 'ended') await rm(folder.live, { force: true });
    else if (status?.agentId === agentId) jobs.push(status);
  }
  return jobs;
}

/** Takes away what costs space, and leftover processes; leaves outcome, tombstone and logs to the sweep. Never touches a job that runs. */
export async function cleanUpJob(layout: Layout, name: string): Promise<void> {
  const folder = layout.job(name);
  const status = await statusOf(folder);
  if (status && status.state !== 'ended') return;
  const files = await readJob(folder);
  if (typeof files?.started === 'object') {
    const changes = new Changes();
    try {
      await endProcesses(files.started.job, name, leftoverGraceMs, changes);
    } finally {
      changes.close();
    }
  }
  const kept = new Set(['state', 'stdout', 'stderr', 'stdout.base', 'stderr.base', 'keeper.log']);
  for (const entry of (await orUndefined(readdir(folder.root))) ?? []) {
    if (!kept.has(entry)) await rm(join(folder.root, entry), { recursive: true, force: true });
  }
  await rm(folder.live, { force: true });
}

export class Sweep {
  private lastMs = 0;

  constructor(
    private readonly layout: Layout,
    private readonly keepMs: number,
  ) {}

  /** Removes what is older than `keepMs`; at most every ten minutes, since it looks at every folder. */
  async ifDue(): Promise<void> {
    const nowMs = Date.now();
    if (nowMs - this.lastMs < Math.min(sweepEveryMs, this.keepMs)) return;
    this.lastMs = nowMs;
    const live = new Set((await orUndefined(readdir(this.layout.live))) ?? []);
    for (const name of (await orUndefined(readdir(this.layout.jobs))) ?? []) {
      if (live.has(name) || !parseRemoteName(name)) continue;
      const folder = this.layout.job(name);
      if ((await lastChangeMs(folder)) + this.keepMs <= nowMs) await this.remove(folder);
    }
    await rm(this.layout.trash, { recursive: true, force: true });
  }

  /** In one step out of sight: a half-removed folder would look like a job that never started. */
  private async remove(folder: JobFolder): Promise<void> {
    const status = await statusOf(folder);
    if (status && status.state !== 'ended') return;
    await makeFolder(this.layout.trash);
    await orUndefined(rename(folder.root, join(this.layout.trash, randomName())));
  }
}

/** Files of a state are only ever added, so the folder's own time is that of the last event. */
async function lastChangeMs(folder: JobFolder): Promise<number> {
  const times = await Promise.all([orUndefined(stat(folder.root)), orUndefined(stat(folder.state))]);
  return Math.max(0, ...times.map((time) => time?.mtimeMs ?? 0));
}
