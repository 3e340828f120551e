import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type JobFolder, orUndefined, replaceFile } from './layout.js';

/** What `prepare` found out and `submit` needs, so that submit asks no interpreter again. */
const preparedSchema = z.object({
  /** The interpreter that `python` in the command means. */
  python: z.string().optional(),
  environmentFolder: z.string().optional(),
});
export type Prepared = z.infer<typeof preparedSchema>;

export const writePrepared = (folder: JobFolder, prepared: Prepared): Promise<void> =>
  replaceFile(folder.prepared, JSON.stringify(prepared));

export async function readPrepared(folder: JobFolder): Promise<Prepared | undefined> {
  const text = await orUndefined(readFile(folder.prepared, 'utf8'));
  return text === undefined ? undefined : preparedSchema.parse(JSON.parse(text));
}
