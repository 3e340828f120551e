import { type Engine, orMissing } from '../../targets/docker/engine.js';
import { lockFile } from '../dockerfile.js';
import { firstFile } from '../first-file.js';
import { brokenOff } from './stream.js';

const createTimeoutMs = 120_000;

/** The list of exact packages inside an image, taken from a container that is never started. */
export async function readLock(engine: Engine, image: string, signal: AbortSignal): Promise<string | undefined> {
  const body = { Image: image, Cmd: ['true'], Labels: { 'davit.purpose': 'read' } };
  const { id } = await engine.call((docker) => docker.createContainer(body), { signal, ms: createTimeoutMs });
  try {
    const archive = await orMissing(
      engine.stream(
        async (docker, abortSignal) =>
          (await docker.getContainer(id).getArchive({ path: lockFile, abortSignal } as { path: string })) as Archive,
        signal,
      ),
    );
    if (archive === undefined) return undefined;
    try {
      return await firstFile(archive.body);
    } catch (error) {
      signal.throwIfAborted();
      throw brokenOff(engine, error);
    } finally {
      archive.end();
    }
  } finally {
    // Also when the work was cancelled.
    await engine.call((docker) => docker.getContainer(id).remove({ force: true })).catch(() => undefined);
  }
}

type Archive = NodeJS.ReadableStream & { destroy(): unknown };
