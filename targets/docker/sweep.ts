import { parseRemoteName } from '../../domain/ids.js';
import { type Engine, isConflict, isMissing } from './engine.js';
import { ownEnvironment, removeEnvironment, removeStaleMarks } from './environment-volume.js';
import { marks, readMark, removeMark, setEndMark } from './marks.js';
import { label, ownerOf } from './names.js';
import type { JobFolders } from './prepared.js';
import { inspect, isAbandoned, jobStatus } from './status.js';

const everyMs = 10 * 60_000;
/** What nobody came for, and what is known of a job, stays so long. */
const forgetAfterMs = 7 * 24 * 3600_000;
/** Longer than a preparation may take: until then there may be a job of it yet. */
const unusedAfterMs = 24 * 3600_000;
/** Containers that are no jobs: whoever waits for one has seen its end by then. */
const helperAfterMs = 3600_000;

/** What agents leave behind that are ended at any line, and what is kept for a time only. */
export class Sweep {
  private lastMs = 0;

  constructor(
    private readonly engine: Engine,
    private readonly folders: JobFolders,
    private readonly keepMs: number,
  ) {}

  async ifDue(): Promise<void> {
    const nowMs = Date.now();
    if (nowMs - this.lastMs < Math.min(everyMs, this.keepMs)) return;
    this.lastMs = nowMs;
    await this.jobs(this.keepMs, forgetAfterMs);
    await this.helpers();
    await this.preparations();
    await this.environments();
    await this.forget();
  }

  /** For room: an end and a log that nobody came for do not keep others from starting for a week. */
  async hurry(): Promise<void> {
    await this.jobs(0, this.keepMs);
    await this.helpers();
  }

  /** Containers of jobs that ended so long ago and were cleaned up; those whose log nobody may have read, after longer. */
  private async jobs(keepMs: number, keepUnreadMs: number): Promise<void> {
    const filters = { label: [label.job], status: ['exited', 'dead'] };
    const ended = await this.engine.call((docker) => docker.listContainers({ all: true, filters: filters as never }));
    for (const { Id, Labels } of ended) {
      const name = ownerOf(Labels)?.name;
      if (name === undefined) continue;
      const status = await jobStatus(this.engine, name);
      if (status?.state !== 'ended') continue;
      const ageMs = Date.now() - (status.endedAtMs ?? 0);
      const wasCleanedUp = (await readMark(this.engine, name, 'end')) !== undefined;
      if (ageMs < (wasCleanedUp ? keepMs : keepUnreadMs)) continue;
      // Its outcome first: from then on the mark tells it.
      await setEndMark(this.engine, status);
      await this.remove(Id);
      // The container had them until now.
      await removeEnvironment(this.engine, ownEnvironment(name));
    }
  }

  /** Containers that installed packages or were made to read from an image. They may have credentials. */
  async helpers(olderThanMs = helperAfterMs): Promise<void> {
    for (const each of [label.environment, label.purpose]) {
      const filters = { label: [each], status: ['created', 'exited', 'dead'] };
      const found = await this.engine.call((docker) => docker.listContainers({ all: true, filters: filters as never }));
      for (const { Id } of found) {
        const container = await inspect(this.engine, Id);
        if (!container) continue;
        const { Created, State, Config } = container;
        const isAwaited = State.Status === 'created' && each === label.environment && !(await isAbandoned(container));
        const changedAtMs = Math.max(Date.parse(Created), Date.parse(State.FinishedAt));
        if (isAwaited || ownerOf(Config.Labels) || Date.now() - changedAtMs < olderThanMs) continue;
        await this.remove(Id);
      }
    }
  }

  /** Folders of this machine for jobs that are over, or were never started: an agent that is lost does not clean up, and who adopts cannot. */
  private async preparations(): Promise<void> {
    for (const name of await this.folders.names()) {
      if (!parseRemoteName(name)) continue;
      const status = await jobStatus(this.engine, name);
      if (status && status.state !== 'ended') continue;
      const changedAtMs = await this.folders.changedAtMs(name);
      if (changedAtMs + (status ? this.keepMs : unusedAfterMs) <= Date.now()) await this.folders.remove(name);
    }
  }

  /** The same for packages of one job. */
  private async environments(): Promise<void> {
    const filters = { label: [label.environment] };
    const { Volumes } = await this.engine.call((docker) => docker.listVolumes({ filters: filters as never }));
    for (const volume of Volumes) {
      const name = volume.Name.replace(/\.environment$/, '');
      if (!parseRemoteName(name) || ownEnvironment(name) !== volume.Name) continue;
      const status = await jobStatus(this.engine, name);
      if (status ? status.state === 'ended' : madeAtMs(volume) + unusedAfterMs <= Date.now())
        await removeEnvironment(this.engine, volume.Name);
    }
    await removeStaleMarks(this.engine);
  }

  /** Marks of jobs that are long over. */
  private async forget(): Promise<void> {
    const filters = { label: [label.mark] };
    const { Volumes } = await this.engine.call((docker) => docker.listVolumes({ filters: filters as never }));
    const old = Volumes.filter((volume) => madeAtMs(volume) < Date.now() - forgetAfterMs);
    for (const name of new Set(old.map(({ Labels }) => Labels?.[label.job] ?? ''))) {
      if (name === '') continue;
      const status = await jobStatus(this.engine, name);
      const isOver = status === undefined || (status.state === 'ended' && !(await inspect(this.engine, name)));
      if (isOver) for (const mark of marks) await removeMark(this.engine, name, mark);
    }
  }

  /** Never one that runs. */
  private async remove(id: string): Promise<void> {
    try {
      await this.engine.call((docker) => docker.getContainer(id).remove({ force: false, v: true }), { ms: 120_000 });
    } catch (error) {
      if (!isMissing(error) && !isConflict(error)) throw error;
    }
  }
}

const madeAtMs = (volume: object): number => Date.parse((volume as { CreatedAt?: string }).CreatedAt ?? '');
