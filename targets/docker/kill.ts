import type { ContainerInspectInfo } from 'dockerode';
import { type Engine, isConflict, isMissing, statusOf } from './engine.js';
import { setMark } from './marks.js';
import { label, ownerOf } from './names.js';
import { discard, hasEnded, inspect, wasStarted } from './status.js';
import type { Watcher } from './watcher.js';

/** The container that was started under the name; from here on nothing else is. */
export async function closeName(engine: Engine, name: string): Promise<ContainerInspectInfo | undefined> {
  await setMark(engine, name, 'kill');
  for (;;) {
    const container = await inspect(engine, name);
    if (!container || ownerOf(container.Config.Labels)?.name !== name) return undefined;
    if (wasStarted(container)) return container;
    // Whoever means to start it finds it gone, then the tombstone.
    if (await discard(engine, container.Id, name)) return undefined;
  }
}

export async function killJob(engine: Engine, watcher: Watcher, name: string, graceMs: number): Promise<boolean> {
  const container = await closeName(engine, name);
  if (!container || hasEnded(container)) return false;
  await setMark(engine, name, 'killed');
  await endContainer(engine, watcher, name, container, graceMs);
  return true;
}

/** The image's own signal, SIGTERM mostly, and SIGKILL after the grace. Returns when it has ended. */
async function endContainer(
  engine: Engine,
  watcher: Watcher,
  name: string,
  container: ContainerInspectInfo,
  graceMs: number,
): Promise<void> {
  const ownGrace = container.Config.Labels[label.grace];
  const patienceMs = graceMs === 0 || ownGrace === undefined ? graceMs : Number(ownGrace) * 1000;
  const deadlineMs = Date.now() + patienceMs;
  const { StopSignal = 'SIGTERM' } = container.Config as { StopSignal?: string };
  const watched = watcher.watch(name);
  try {
    // A paused one hears no signal.
    if (container.State.Paused)
      await engine.call((docker) => docker.getContainer(container.Id).unpause({})).catch(unlessAnswered);
    if (patienceMs > 0) await signal(engine, container.Id, StopSignal);
    for (;;) {
      const now = await inspect(engine, container.Id);
      if (!now || hasEnded(now)) return;
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) await signal(engine, container.Id, 'SIGKILL');
      const soon = new AbortController();
      const timer = setTimeout(() => soon.abort(), leftMs > 0 ? leftMs : 1_000);
      await watched.next(soon.signal);
      clearTimeout(timer);
    }
  } finally {
    watched.close();
  }
}

async function signal(engine: Engine, id: string, name: string): Promise<void> {
  try {
    await engine.call((docker) => docker.getContainer(id).kill({ signal: name }));
  } catch (error) {
    // It ended in between: what it is now is looked at next.
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

function unlessAnswered(error: unknown): void {
  if (statusOf(error) === undefined) throw error;
}
