import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonIfThere, writeWhole } from './files.js';
import { begunOf, endProcess } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';
import { withCommandLine } from './process-list.js';

/**
 * What runs under this data folder, on disk, so that a start after kill -9 finds what survived.
 *
 * The record is written before the child is started (without its pid) and completed after: when the supervisor dies
 * between the two, the child is found by its exact command line, which holds the data folder's path. Only processes
 * recorded here are ever ended; jobs of the process target are nobody's record.
 */
const stepSchema = z.object({
  signal: z.custom<NodeJS.Signals>((value) => typeof value === 'string'),
  graceMs: z.number(),
});
const recordSchema = z.object({
  name: z.string(),
  commandLine: z.string(),
  process: z.object({ pid: z.number(), begun: z.string() }).nullable(),
  port: z.number().nullable(),
  /** Later parts rest on earlier ones and end before them. */
  order: z.number(),
  stopSteps: z.array(stepSchema),
});
export type ChildRecord = z.infer<typeof recordSchema>;

const folderOf = (runFolder: string) => join(runFolder, 'children');
const pathOf = (runFolder: string, name: string) => join(folderOf(runFolder), `${name}.json`);

export function writeRecord(runFolder: string, record: ChildRecord): void {
  mkdirSync(folderOf(runFolder), { recursive: true, mode: 0o700 });
  writeWhole(pathOf(runFolder, record.name), JSON.stringify(record, null, 2));
}

export function removeRecord(runFolder: string, name: string): void {
  rmSync(pathOf(runFolder, name), { force: true });
}

export function readRecords(runFolder: string): ChildRecord[] {
  mkdirSync(folderOf(runFolder), { recursive: true, mode: 0o700 });
  return readdirSync(folderOf(runFolder))
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => recordSchema.safeParse(readJsonIfThere(join(folderOf(runFolder), file))).data ?? [])
    .sort((a, b) => b.order - a.order);
}

export interface Leftover {
  name: string;
  pid: number;
  gone: boolean;
}

/** Ends what an earlier supervisor left behind, last started first. Call it under the lock. */
export async function endLeftovers(runFolder: string): Promise<Leftover[]> {
  const ended: Leftover[] = [];
  for (const record of readRecords(runFolder)) {
    for (const identity of survivorsOf(record)) {
      const gone = await endProcess(identity, record.stopSteps);
      ended.push({ name: record.name, pid: identity.pid, gone });
    }
    removeRecord(runFolder, record.name);
  }
  return ended;
}

function survivorsOf(record: ChildRecord): ProcessIdentity[] {
  if (record.process !== null) return begunOf(record.process.pid) === record.process.begun ? [record.process] : [];
  return withCommandLine(record.commandLine).flatMap(({ pid }) => {
    const begun = begunOf(pid);
    return begun === null ? [] : [{ pid, begun }];
  });
}
