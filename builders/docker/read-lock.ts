import { type Engine, isConflict, orMissing } from '../../targets/docker/engine.js';
import { lockFile } from '../dockerfile.js';
import { firstFile } from '../first-file.js';
import { brokenOff } from './stream.js';

const createTimeoutMs = 120_000;

/** The list of exact packages inside an image, taken from a container that is never started. */
export async function readLock(engine: Engine, image: string, signal: AbortSignal): Promise<string | undefined> {
  // By this name it is found again, and removed, when the Engine died meanwhile.
  const name = `davit-read-${image.replace('sha256:', '').slice(0, 32)}`;
  const body = { name, Image: image, Cmd: ['true'], Labels: { 'davit.purpose': 'read' } };
  try {
    await engine.call((docker) => docker.createContainer(body), { signal, ms: createTimeoutMs });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  try {
    const archive = await orMissing(
      engine.stream(
        async (docker, abortSignal) =>
          (await docker.getContainer(name).getArchive({ path: lockFile, abortSignal })) as Archive,
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
    await engine.call((docker) => docker.getContainer(name).remove({ force: true })).catch(() => undefined);
  }
}

type Archive = NodeJS.ReadableStream & { destroy(): unknown };
