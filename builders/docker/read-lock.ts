import type Docker from 'dockerode';
import { lockFile } from '../dockerfile.js';
import { firstFile } from '../first-file.js';
import { orAbsent } from './engine-errors.js';

/** The list of exact packages inside an image, taken from a container that is never started. */
export async function readLock(engine: Docker, image: string): Promise<string | undefined> {
  const container = await engine.createContainer({ Image: image, Cmd: ['true'], Labels: { 'davit.purpose': 'read' } });
  try {
    const archive = await orAbsent(container.getArchive({ path: lockFile }));
    return archive === undefined ? undefined : await firstFile(archive);
  } finally {
    await container.remove({ force: true }).catch(() => undefined);
  }
}
