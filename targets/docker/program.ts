import { posix } from 'node:path';
import { LaunchError } from '../../domain/errors.js';
import { type Engine, isMissing, statusOf } from './engine.js';

interface Told {
  Entrypoint?: string[] | undefined;
  WorkingDir?: string | undefined;
  Env?: string[] | undefined;
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Looks for the program of a container that was created and not started. The Engine would start it all the same: its first process is one of
 * ours, which only then finds out, and the job would have failed with 127 as many others do.
 */
export async function requireProgram(
  engine: Engine,
  id: string,
  container: Told,
  imagePath: string | undefined,
): Promise<void> {
  const program = container.Entrypoint?.[0];
  if (program === undefined) return;
  const path = container.Env?.find((pair) => pair.startsWith('PATH='))?.slice('PATH='.length) ?? imagePath ?? usualPath;
  const candidates = program.includes('/')
    ? [posix.resolve('/', container.WorkingDir ?? '/', program)]
    : path.split(':').map((folder) => posix.join(folder === '' ? '/' : folder, program));
  for (const candidate of candidates) if (await exists(engine, id, candidate)) return;
  throw new LaunchError('command-not-found', 'submit', `"${program}" is not in the image.`);
}

async function exists(engine: Engine, id: string, path: string): Promise<boolean> {
  try {
    const answer: unknown = await engine.call((docker) => docker.getContainer(id).infoArchive({ path }));
    // A body that nobody reads keeps its connection, and that the process.
    (answer as { destroy?: () => void }).destroy?.();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    // An Engine that does not tell (a file system that it cannot look into) is left to find out by itself.
    if (statusOf(error) !== undefined) return true;
    throw error;
  }
}
