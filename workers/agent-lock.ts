import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive } from '../targets/process/identity.js';

const seatSchema = z.object({
  incarnation: z.string(),
  process: z.object({ pid: z.number(), token: z.string() }),
  ended: z.array(z.string()).default([]),
});

export interface Seat {
  /** This life of the agent. The same for every try of this process until one of them was welcomed. */
  incarnation: string;
  /** Lives of this agent on this machine that are known to be over, newest first. */
  ended: readonly string[];
  /** The API has welcomed this incarnation. */
  settle(): Promise<void>;
}

/** As many starts in a row that came to nothing are remembered: any life before them may be the one that the API has on record. */
const remembered = 50;

/** Taken by this process, and not welcomed yet. */
const unsettled = new Map<string, Seat>();

/**
 * Who worked under this agent's name on this machine before, if that process is known to have ended. The API refuses a second process under
 * one name until the first has been silent for a while; a restarted agent that can prove the death of its predecessors need not wait. Not of
 * the last one only: it may have died while the API was away, before it was on record.
 */
export async function takeSeat(workFolder: string, agent: string): Promise<Seat> {
  const folder = join(workFolder, 'agents');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${agent}.json`);
  const earlier = unsettled.get(file);
  if (earlier) return earlier;

  const incarnation = randomBytes(8).toString('hex');
  const before = await readSeat(file);
  const isFree = before === undefined || !(await isAlive(before.process));
  const ended = before !== undefined && isFree ? [before.incarnation, ...before.ended].slice(0, remembered) : [];
  const write = async (): Promise<void> => {
    const own = await identityOf(process.pid);
    if (!own) return;
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify({ incarnation, process: own, ended }), { mode: 0o600 });
    await rename(draft, file);
  };
  if (isFree) await write();
  const seat: Seat = {
    incarnation,
    ended,
    async settle() {
      unsettled.delete(file);
      // The one who sits there and lives has left its place in order: the API would not have welcomed us otherwise.
      if (!isFree) await write();
    },
  };
  unsettled.set(file, seat);
  return seat;
}

/** Undefined: nobody was here, or the file was cut short by a crash; then the API's patience decides. */
async function readSeat(file: string): Promise<z.infer<typeof seatSchema> | undefined> {
  try {
    return seatSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
