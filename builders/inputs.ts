import { createHash } from 'node:crypto';
import type { BuildRequest } from './builder.js';

/** Raised when the same inputs would give another image than before: what lies in registries under old tags is then not looked at again. */
const recipe = 1;

/** What the base of an image is at this moment. */
export interface Base {
  /** As it was named. */
  name: string;
  /** Of its manifest, or of the Engine's own copy when no registry has it. Undefined: nobody could be asked. */
  digest: string | undefined;
  /** What FROM names. */
  from: string;
}

/** One digest over everything that makes the image what it is. `base` is undefined for an own Dockerfile, which names its own. */
export function inputsDigest(request: BuildRequest, base: Base | undefined): string {
  const { sourceDigest, pythonVersion, requirements, entryFolder, options } = request;
  const parts = {
    recipe,
    sourceDigest,
    pythonVersion: pythonVersion ?? '',
    requirements: requirements ?? '',
    entryFolder,
    base: base === undefined ? '' : (base.digest ?? base.name),
    accelerator: options.acceleratorBaseImage !== undefined,
    dockerfile: options.dockerfile ?? '',
    context: options.context ?? '',
    platform: options.platform ?? '',
    userId: options.userId ?? defaultUserId,
    secrets: sortedEntries(options.secrets),
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The same for the same content, whatever the order it was written in. */
export const sortedEntries = (record: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

export const defaultUserId = 1000;

/** Long enough that two inputs never meet in one tag. */
export const tagOf = (inputs: string): string => inputs.slice(0, 32);
