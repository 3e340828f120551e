import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { isAlive, self } from '../process/identity.js';

/**
 * Who creates a container starts it, nobody else: that is how it is started once. Whether a container that was never started has somebody who
 * will start it is told by this: the process, where it can be seen from here, and the act within it.
 */
const schema = z.object({ act: z.string(), pid: z.number(), token: z.string(), world: z.string() });

const underWay = new Set<string>();

export interface Submission {
  label: string;
  /** It will not start anything any more. */
  over(): void;
}

export async function beginSubmission(): Promise<Submission> {
  const act = randomBytes(8).toString('hex');
  underWay.add(act);
  const label = JSON.stringify({ act, ...(await self()), world: await world() } satisfies z.infer<typeof schema>);
  return { label, over: () => void underWay.delete(act) };
}

/** `unknown`: it is not on this machine, or in a container of its own. */
export async function fateOf(label: string | undefined): Promise<'alive' | 'gone' | 'unknown'> {
  const read = schema.safeParse(parsed(label));
  if (!read.success) return 'gone';
  const { act, pid, token } = read.data;
  if (read.data.world !== (await world())) return 'unknown';
  const own = await self();
  if (pid === own.pid && token === own.token) return underWay.has(act) ? 'alive' : 'gone';
  return (await isAlive({ pid, token })) ? 'alive' : 'gone';
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown;
  } catch {
    return undefined;
  }
}

/** Process numbers mean something within one boot of one machine, and there within one of these namespaces only. */
async function world(): Promise<string> {
  const boot = (await self()).token.split(':')[0] ?? '';
  try {
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
