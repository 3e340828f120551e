import { z } from 'zod';
import { DavitError } from '../domain/errors.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';
import { listRunFiles } from './run-files.js';

/** Where a run was made, as its client noted it soon after the start. Whatever the client could not tell is absent. */
const metadataSchema = z.looseObject({
  os: text(),
  python: text(),
  program: text(),
  codePath: text(),
  args: z.array(z.string()).optional().catch(undefined),
  host: text(),
  executable: text(),
  cpu_count: count(),
  cpu_count_logical: count(),
  gpu: text(),
  gpu_count: count(),
  git: z.looseObject({ remote: text(), commit: text() }).optional().catch(undefined),
  startedAt: text(),
});

function text() {
  return z.string().optional().catch(undefined);
}
function count() {
  return z.int().min(0).optional().catch(undefined);
}

export interface RunMetadata {
  os?: string;
  python?: string;
  program?: string;
  codePath?: string;
  args?: string[];
  host?: string;
  executable?: string;
  cpuCount?: number;
  gpu?: string;
  gpuCount?: number;
  git?: { remote?: string; commit?: string };
}

const metadataFile = 'wandb-metadata.json';
/** The client writes a few kilobytes; anything much longer is no metadata. */
const longestMetadata = 1024 * 1024;

/** Undefined before the client has sent it, or when what it sent cannot be read. */
export async function readRunMetadata(db: Store, blobs: Blobs, runId: number): Promise<RunMetadata | undefined> {
  const [file] = await listRunFiles(db, runId, { names: [metadataFile] });
  if (!file || file.size === 0 || file.size > longestMetadata) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(await textOf(blobs, file.blobKey));
  } catch (error) {
    // No JSON, or deleted since the list was read; storage that is away is another matter.
    if (error instanceof SyntaxError || (error instanceof DavitError && error.code === 'not-found')) return undefined;
    throw error;
  }
  const read = metadataSchema.safeParse(json);
  if (!read.success) return undefined;
  const { cpu_count, cpu_count_logical, gpu_count, git, ...said } = read.data;
  return present({
    os: said.os,
    python: said.python,
    program: said.program,
    codePath: said.codePath,
    args: said.args,
    host: said.host,
    executable: said.executable,
    cpuCount: cpu_count ?? cpu_count_logical,
    gpu: said.gpu,
    gpuCount: gpu_count,
    git: git && present({ remote: git.remote, commit: git.commit }),
  });
}

async function textOf(blobs: Blobs, key: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await blobs.open(key, { end: longestMetadata })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

const present = <T extends object>(values: T): Present<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
