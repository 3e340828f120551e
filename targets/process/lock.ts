import { readFile, rm, rename } from 'node:fs/promises';
import { Changes } from './changes.js';
import { isAlive, parseIdentity, self } from './identity.js';
import { createOnce, isMissing, orUndefined, randomName } from './layout.js';

/** How long a waiter sleeps when nothing tells it that the lock went. */
const netMs = 500;

/**
 * A lock between processes of one machine: a file with its holder's identity. A dead holder's lock is taken over. Two that take over at the
 * same moment may both come through: so it may only save work, never guard what doing twice would break.
 */
export async function withLock<T>(
  file: string,
  signal: AbortSignal,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const { pid, token } = await self();
  const content = `${pid} ${token}\n${randomName()}\n`;
  const changes = new Changes();
  try {
    let waited = false;
    while (!(await createOnce(file, content))) {
      signal.throwIfAborted();
      changes.watch(file);
      const held = await orUndefined(readFile(file, 'utf8'));
      if (held === undefined) continue;
      const holder = parseIdentity(held.split('\n')[0]);
      if (holder === undefined || !(await isAlive(holder))) {
        await takeAway(file);
        continue;
      }
      if (!waited) onWait();
      waited = true;
      await changes.next(netMs, signal);
    }
  } finally {
    changes.close();
  }
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    if ((await orUndefined(readFile(file, 'utf8'))) === content) await rm(file, { force: true });
  }
}

async function takeAway(file: string): Promise<void> {
  const aside = `${file}.${randomName()}.dead`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await rm(aside, { force: true });
}
