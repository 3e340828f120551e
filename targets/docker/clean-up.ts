import type { JobStatus } from '../../domain/job-plan.js';
import { type Engine, isConflict, isMissing } from './engine.js';
import { ownEnvironment, removeEnvironment } from './environment.js';
import { marks, readMark, removeMark, setEndMark } from './marks.js';
import { label, ownerOf } from './names.js';
import type { JobFolders } from './prepared.js';
import { jobStatus } from './status.js';

const sweepEveryMs = 10 * 60_000;
/** What nobody came for, and what is known of a job, stays so long. */
const forgetAfterMs = 7 * 24 * 3600_000;

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

export class Sweep {
  private lastMs = 0;

  constructor(
    private readonly engine: Engine,
    private readonly keepMs: number,
  ) {}

  async ifDue(): Promise<void> {
    const nowMs = Date.now();
    if (nowMs - this.lastMs < Math.min(sweepEveryMs, this.keepMs)) return;
    this.lastMs = nowMs;
    await this.containers(this.keepMs);
    await this.forget();
  }

  /** Removes containers of jobs that ended so long ago and were cleaned up; much older ones in any case. */
  async containers(keepMs: number): Promise<void> {
    const filters = { label: [label.job], status: ['exited', 'dead'] };
    const ended = await this.engine.call((docker) => docker.listContainers({ all: true, filters: filters as never }));
    for (const { Id, Labels } of ended) {
      const name = ownerOf(Labels)?.name;
      if (name === undefined) continue;
      const status = await jobStatus(this.engine, name);
      if (status?.state !== 'ended') continue;
      const ageMs = Date.now() - (status.endedAtMs ?? 0);
      const wasCleanedUp = (await readMark(this.engine, name, 'end')) !== undefined;
      if (ageMs < (wasCleanedUp ? keepMs : forgetAfterMs)) continue;
      // Its outcome first: from then on the mark tells it.
      await setEndMark(this.engine, status);
      await this.engine
        .call((docker) => docker.getContainer(Id).remove({ force: false, v: true }), { ms: 120_000 })
        .catch(unlessGone);
    }
  }

  /** Marks of jobs that are long over. */
  private async forget(): Promise<void> {
    const filters = { label: [label.mark] };
    const { Volumes } = await this.engine.call((docker) => docker.listVolumes({ filters: filters as never }));
    const old = Volumes.filter((volume) => {
      const createdAt = Date.parse((volume as { CreatedAt?: string }).CreatedAt ?? '');
      return createdAt < Date.now() - forgetAfterMs;
    });
    for (const name of new Set(old.map(({ Labels }) => Labels?.[label.job] ?? ''))) {
      if (name === '') continue;
      const status = await jobStatus(this.engine, name);
      const isOver = status === undefined || (status.state === 'ended' && (await this.isGone(name)));
      if (isOver) for (const mark of marks) await removeMark(this.engine, name, mark);
    }
  }

  private isGone(name: string): Promise<boolean> {
    return this.engine
      .call((docker) => docker.getContainer(name).inspect())
      .then(() => false)
      .catch((error: unknown) => {
        if (isMissing(error)) return true;
        throw error;
      });
  }
}

function unlessGone(error: unknown): void {
  if (!isMissing(error) && !isConflict(error)) throw error;
}
