import { inputSchemasOf } from '../domain/input-schema.js';
import { changedFields, changedFiles, changedLines, type FieldChange, type FileChange } from '../domain/job-diff.js';
import { artifactById, artifactFiles } from './artifacts.js';
import { parsedMetadata } from './job-create.js';
import { readJobVersion, type JobDeps } from './jobs.js';

const maxFiles = 1_000;

export interface JobDiff {
  from: string;
  to: string;
  fields: FieldChange[];
  requirements: { added: string[]; removed: string[] };
  files: FileChange[];
  filesChanged: number;
}

export async function diffOfVersions(deps: JobDeps, fromId: number, toId: number): Promise<JobDiff> {
  const [from, to] = await Promise.all([sideOf(deps, fromId), sideOf(deps, toId)]);
  const files = changedFiles(from.files, to.files);
  return {
    from: from.version,
    to: to.version,
    fields: changedFields(from.fields, to.fields),
    requirements: changedLines(from.requirements, to.requirements),
    files: files.slice(0, maxFiles),
    filesChanged: files.length,
  };
}

async function sideOf(deps: JobDeps, artifactId: number) {
  const [row, content] = await Promise.all([artifactById(deps.db, artifactId), readJobVersion(deps, artifactId)]);
  const { file, codeArtifactId, patch, requirements } = content;
  // The number of the code says nothing that its files do not say better.
  const { artifact: _artifact, ...source } = file.source;
  const { config, files } = inputSchemasOf(parsedMetadata(row?.metadata ?? ''));
  const code = codeArtifactId === undefined ? [] : await artifactFiles(deps.db, codeArtifactId);
  return {
    version: `v${row?.version_index ?? 0}`,
    fields: { ...file, source, patch: patch?.digest, inputs: { config, files } },
    requirements,
    files: code.map(({ path, md5 }) => ({ path, digest: md5 })),
  };
}
