import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive } from '../targets/process/identity.js';

const seatSchema = z.object({ incarnation: z.string(), process: z.object({ pid: z.number(), token: z.string() }) });

/**
 * Who worked under this agent's name on this machine before, if that process is known to have ended. The API refuses a second process under
 * one name until the first has been silent for a while; a restarted agent that can prove the death of its predecessor need not wait.
 */
export async function takeSeat(
  workFolder: string,
  agent: string,
  incarnation: string,
): Promise<{ endedIncarnation: string | undefined }> {
  const folder = join(workFolder, 'agents');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${agent}.json`);
  let ended: string | undefined;
  try {
    const before = seatSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    if (await isAlive(before.process)) return { endedIncarnation: undefined };
    ended = before.incarnation;
  } catch {
    // Nobody was here, or the file was cut short by a crash: then the API's patience decides.
  }
  const own = await identityOf(process.pid);
  if (own) {
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify({ incarnation, process: own }), { mode: 0o600 });
    await rename(draft, file);
  }
  return { endedIncarnation: ended };
}
