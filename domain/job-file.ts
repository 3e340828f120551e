import { z } from 'zod';
import { artifactReference } from './job.js';

/** `wandb-job.json` and its neighbours: what a version of a job says of itself, as the wandb client writes and reads it. */

export const jobFileName = 'wandb-job.json';
export const requirementsFileName = 'requirements.frozen.txt';
/** Changes that were not committed when the run was tracked that the job was made of. */
export const patchFileName = 'diff.patch';

const words = z.array(z.string());

/** Read leniently: these files also come from wandb clients of many versions. Keys that are not known here are kept. */
export const jobFileSchema = z.looseObject({
  _version: z.string().optional(),
  _partial: z.unknown().optional(),
  source_type: z.enum(['repo', 'artifact', 'image']),
  source: z.looseObject({
    entrypoint: words.nullish(),
    notebook: z.boolean().nullish(),
    artifact: z.string().nullish(),
    git: z
      .looseObject({
        remote: z.string().nullish(),
        commit: z.string().nullish(),
        /** Ours: the branch or tag that the commit was, and the named secret that opens the remote. */
        ref: z.string().nullish(),
        credentials: z.string().nullish(),
      })
      .nullish(),
    image: z.string().nullish(),
    args: words.nullish(),
    build_context: z.string().nullish(),
    dockerfile: z.string().nullish(),
    base_image: z.string().nullish(),
  }),
  input_types: z.unknown().optional(),
  output_types: z.unknown().optional(),
  runtime: z.string().nullish(),
  services: z.record(z.string(), z.string()).nullish(),
});
export type JobFile = z.infer<typeof jobFileSchema>;

export type NewJobSource =
  | { kind: 'code'; artifactId: number; entryPoint: readonly string[] }
  | {
      kind: 'git';
      remote: string;
      commit: string;
      ref?: string | undefined;
      credentials?: string | undefined;
      entryPoint: readonly string[];
    }
  | { kind: 'image'; image: string; entryPoint?: readonly string[] | undefined; args?: readonly string[] | undefined };

export interface NewJobFile {
  source: NewJobSource;
  /** `3.N`. */
  pythonVersion?: string | undefined;
  dockerfile?: string | undefined;
  buildContext?: string | undefined;
  baseImage?: string | undefined;
  /** Name -> `always` or `never`. */
  services?: Record<string, string> | undefined;
}

/** `wandb-job.json`, byte for byte as the wandb client writes it (its order of keys, 4 spaces, nothing but ASCII); keys of ours come last. */
export function jobFileText(job: NewJobFile): string {
  const { source, pythonVersion, dockerfile, buildContext, baseImage, services } = job;
  const anything = { wb_type: 'typedDict', params: { type_map: {} } };
  const text = JSON.stringify(
    {
      // Older clients cannot run such a job: the number tells them.
      _version: dockerfile === undefined && buildContext === undefined ? 'v0' : '0.17.0',
      source_type: sourceTypes[source.kind],
      source: { ...sourceOf(source), build_context: buildContext, dockerfile, base_image: baseImage },
      input_types: anything,
      output_types: anything,
      // The image has its own Python; clients write that they do not know it.
      runtime: source.kind === 'image' ? '' : pythonVersion,
      ...(services === undefined || Object.keys(services).length === 0 ? {} : { services }),
    },
    undefined,
    4,
  );
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const sourceTypes = { code: 'artifact', git: 'repo', image: 'image' } as const;

function sourceOf(source: NewJobSource): Record<string, unknown> {
  switch (source.kind) {
    case 'code':
      return { entrypoint: source.entryPoint, notebook: false, artifact: artifactReference(source.artifactId) };
    case 'git': {
      const { remote, commit, ref, credentials, entryPoint } = source;
      return { git: { remote, commit, ref, credentials }, entrypoint: entryPoint, notebook: false };
    }
    case 'image':
      return { image: source.image, entrypoint: source.entryPoint, args: source.args };
  }
}
