import { z } from 'zod';
import { artifactPathProblem } from './artifact-names.js';
import { DavitError } from './errors.js';

/** `wandb_manifest.json`: what files a version has. Comes from clients, is kept as it came, and is merged by the server. */

const entrySchema = z.looseObject({
  /** Base64 MD5 of the bytes; of references whatever their storage calls them by. */
  digest: z.string().max(4096),
  size: z.int().nonnegative().nullish(),
  /** The version that first stored the bytes. */
  birthArtifactID: z.string().max(256).nullish(),
  /** Present: the bytes lie elsewhere. */
  ref: z.string().max(16_384).nullish(),
});
export type ManifestEntry = z.infer<typeof entrySchema>;

const manifestSchema = z.looseObject({
  version: z.literal(1),
  storagePolicy: z.string().max(256),
  storagePolicyConfig: z.looseObject({ storageLayout: z.enum(['V1', 'V2']).nullish() }).nullish(),
});

export interface Manifest {
  /** Everything but the contents, as it came. */
  head: Record<string, unknown>;
  contents: Map<string, ManifestEntry>;
}

export const manifestLimits = { bytes: 128 * 1024 * 1024, entries: 500_000 };

/** Throws `manifest-invalid` with a sentence that names the first thing that is wrong. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('It is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('It is not a JSON object.');
  const { contents: given, ...head } = value as Record<string, unknown>;
  if (!manifestSchema.safeParse(head).success)
    throw invalid('Its version is not 1, or its storagePolicy is not understood.');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid('It has no "contents".');
  const paths = Object.entries(given);
  if (paths.length > manifestLimits.entries)
    throw invalid(`It has ${paths.length} files; ${manifestLimits.entries} are accepted.`);
  const contents = new Map<string, ManifestEntry>();
  for (const [path, raw] of paths) {
    const problem = artifactPathProblem(path);
    if (problem) throw invalid(problem);
    const entry = entrySchema.safeParse(raw);
    if (!entry.success) throw invalid(`The entry of "${path.slice(0, 200)}" has no valid digest or size.`);
    contents.set(path, entry.data);
  }
  return { head, contents };
}

/** The later one's entries replace the earlier one's of the same path. */
export function mergeManifests(earlier: Manifest, later: Manifest): Manifest {
  return { head: { ...earlier.head, ...later.head }, contents: new Map([...earlier.contents, ...later.contents]) };
}

/** Without contents: what merging begins with. */
export const emptyManifest = (): Manifest => ({
  head: { version: 1, storagePolicy: 'wandb-storage-policy-v1', storagePolicyConfig: { storageLayout: 'V2' } },
  contents: new Map(),
});

/** JSON text. Objects are made entry by entry, so that no path is taken for a property of JavaScript's own. */
export function renderManifest({ head, contents }: Manifest): string {
  const entries = [...contents].map(([path, entry]) => `${JSON.stringify(path)}:${JSON.stringify(entry)}`);
  return `${JSON.stringify(head).slice(0, -1)},"contents":{${entries.join(',')}}}`;
}

export const isReference = (entry: ManifestEntry): boolean => typeof entry.ref === 'string' && entry.ref !== '';

const invalid = (sentence: string): DavitError =>
  new DavitError('manifest-invalid', `The manifest of the artifact cannot be used. ${sentence}`);
