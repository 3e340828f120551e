import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, EngineAway } from './engine.js';

/**
 * What two agents must have in common to see the same containers: the Engine. By its id and its data folder, since several Engines of one
 * machine may share an id. Kept on this machine, so that an agent that starts while its Engine is away knows what to watch when it is back.
 */
export async function placeOf(engine: Engine, workFolder: string): Promise<string> {
  const folder = join(workFolder, 'docker');
  const file = join(folder, `place-${digest(engine.shown)}`);
  try {
    const { ID, DockerRootDir } = (await engine.call((docker) => docker.info(), { ms: 5_000 })) as {
      ID?: string;
      DockerRootDir?: string;
    };
    const place = `engine-${digest(`${ID ?? ''} ${DockerRootDir ?? ''}`)}`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(file, `${place}\n`, { mode: 0o600 });
    return place;
  } catch (error) {
    if (!(error instanceof EngineAway)) throw error;
    const known = await readFile(file, 'utf8').catch(() => undefined);
    if (known === undefined || known.trim() === '') throw error;
    return known.trim();
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
