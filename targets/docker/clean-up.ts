import type { JobStatus } from '../../domain/job-plan.js';
import type { Engine } from './engine.js';
import { ownEnvironment, removeEnvironment } from './environment-volume.js';
import { setEndMark } from './marks.js';
import { label, ownerOf } from './names.js';
import type { JobFolders } from './prepared.js';
import { jobStatus } from './status.js';

/** Jobs of the agent that have not ended. */
export async function listJobs(engine: Engine, agentId: string): Promise<JobStatus[]> {
  const filters = {
    label: [`${label.agent}=${agentId}`, label.job],
    status: ['created', 'running', 'paused', 'restarting'],
  };
  const found = await engine.call((docker) => docker.listContainers({ all: true, filters: filters as never }));
  const names = found.flatMap(({ Labels }) => ownerOf(Labels)?.name ?? []);
  const statuses = await Promise.all(names.map((name) => jobStatus(engine, name)));
  return statuses.flatMap((status) => (status && status.state !== 'ended' ? [status] : []));
}

/** What the job needs no more goes now; its container, which holds its log, when some time has passed or room is needed. */
export async function cleanUpJob(engine: Engine, folders: JobFolders, name: string): Promise<void> {
  const status = await jobStatus(engine, name);
  if (status && status.state !== 'ended') return;
  if (status) await setEndMark(engine, status);
  await folders.remove(name);
  await removeEnvironment(engine, ownEnvironment(name));
}
