import { z } from 'zod';

/** Every name that two parts of the system must agree on is built here or in `workflows/ids.ts` (Temporal's names). */

/** Entity, project, queue, agent and job names: what is safe in a URL, a file name, a task queue and an image label. */
export const nameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'use letters, digits, "_", "-", "."; begin with a letter or digit');

/** Job (artifact collection) names may be longer, as in the wandb client. */
export const jobNameSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'use letters, digits, "_", "-", "."; begin with a letter or digit');

/** Launch ids sort by time: 9 characters of milliseconds and 11 random ones, base 36, lower case, safe as host name and object name. */
export const launchIdSchema = z.string().regex(/^[a-z0-9]{20}$/, 'a launch id is 20 letters and digits');

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';

export function newLaunchId(nowMs: number, randomBytes: (n: number) => Uint8Array): string {
  const time = nowMs.toString(36).padStart(9, '0').slice(-9);
  return time + randomText(11, randomBytes);
}

/** Work on many launches at once. Sorts by time, and cannot be taken for a launch. */
export const bulkIdSchema = z
  .string()
  .regex(/^bulk-[a-z0-9]{20}$/, 'an id of a bulk is "bulk-" and 20 letters and digits');
export const newBulkId = (nowMs: number, randomBytes: (n: number) => Uint8Array): string =>
  `bulk-${newLaunchId(nowMs, randomBytes)}`;

/** A run id as the wandb client makes them: 8 lower-case letters and digits. */
export const newRunId = (randomBytes: (n: number) => Uint8Array): string => randomText(8, randomBytes);

function randomText(length: number, randomBytes: (n: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    // 252 = 7 * 36: the bytes above would make the first letters likelier.
    for (const byte of randomBytes(length * 2))
      if (byte < 252 && text.length < length) text += alphabet[byte % 36] ?? '';
  }
  return text;
}

/** The deterministic name of what a target runs. A function of launch id and attempt alone, so that creating it twice is adopting it. */
export const remoteName = (launchId: string, attempt: number): string => `davit-${launchId}-${attempt}`;

const remoteNamePattern = /^davit-([a-z0-9]{20})-([0-9]{1,6})$/;
export function parseRemoteName(name: string): { launchId: string; attempt: number } | undefined {
  const match = remoteNamePattern.exec(name);
  if (!match?.[1] || !match[2]) return undefined;
  return { launchId: match[1], attempt: Number(match[2]) };
}
