/** Global ids: base64 of `Type:…`, as the client partly builds them itself. */

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Names have no ":" (domain/run-name.ts), so the parts can be told apart. */
export const runGlobalId = (run: { name: string; project_name: string; entity_name: string }): string =>
  encode(`Run:v1:${run.name}:${run.project_name}:${run.entity_name}`);

export function parseRunGlobalId(id: string): { name: string; project: string; entity: string } | undefined {
  const match = /^Run:v1:([^:]+):([^:]+):([^:]+)$/.exec(Buffer.from(id, 'base64').toString());
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { name: match[1], project: match[2], entity: match[3] };
}

export const projectGlobalId = (project: { name: string; entityName: string }): string =>
  encode(`Project:v1:${project.name}:${project.entityName}`);
export function parseProjectGlobalId(id: string): { name: string; entity: string } | undefined {
  const match = /^Project:v1:([^:]+):([^:]+)$/.exec(Buffer.from(id, 'base64').toString());
  return match?.[1] && match[2] ? { name: match[1], entity: match[2] } : undefined;
}
export const organizationGlobalId = (entityId: number): string => encode(`Organization:${entityId}`);
export const projectInternalId = (id: number): string => encode(`ProjectInternalId:${id}`);
export const entityGlobalId = (id: number): string => encode(`Entity:${id}`);
export const userGlobalId = (id: number): string => encode(`User:${id}`);
export const runFileGlobalId = (runId: number, name: string): string => encode(`File:${runId}:${name}`);
export function parseRunFileGlobalId(id: string): { runId: number; name: string } | undefined {
  const match = /^File:(\d{1,9}):(.+)$/s.exec(Buffer.from(id, 'base64').toString());
  return match?.[2] === undefined ? undefined : { runId: Number(match[1]), name: match[2] };
}

/** Ids of artifacts are `artifactWireId` of domain/job.ts. */
export const artifactIdOf = (id: string): number | undefined => numberIn('Artifact', id);
export const collectionGlobalId = (id: number): string => encode(`ArtifactCollection:${id}`);
export const collectionIdOf = (id: string): number | undefined => numberIn('ArtifactCollection', id);
export const membershipGlobalId = (id: number): string => encode(`ArtifactCollectionMembership:${id}`);
export const artifactTypeGlobalId = (projectId: number, name: string): string =>
  encode(`ArtifactType:${projectId}:${name}`);
export const aliasGlobalId = (collectionId: number, alias: string): string =>
  encode(`ArtifactAlias:${collectionId}:${alias}`);
export const tagGlobalId = (tag: string): string => encode(`Tag:${tag}`);
export const manifestGlobalId = (id: number): string => encode(`ArtifactManifest:${id}`);
export const manifestIdOf = (id: string): number | undefined => numberIn('ArtifactManifest', id);
export const artifactFileGlobalId = (artifactId: number, path: string): string =>
  encode(`ArtifactFile:${artifactId}:${path}`);

function numberIn(type: string, id: string): number | undefined {
  const text = Buffer.from(id, 'base64').toString();
  const digits = text.startsWith(`${type}:`) ? text.slice(type.length + 1) : '';
  // As the database counts: 31 bits.
  return /^[1-9]\d{0,9}$/.test(digits) && Number(digits) < 2 ** 31 ? Number(digits) : undefined;
}

export const sweepGlobalId = (sweep: { name: string; project_name: string; entity_name: string }): string =>
  encode(`Sweep:v1:${sweep.name}:${sweep.project_name}:${sweep.entity_name}`);

export function parseSweepGlobalId(id: string): { name: string; project: string; entity: string } | undefined {
  const match = /^Sweep:v1:([^:]+):([^:]+):([^:]+)$/.exec(Buffer.from(id, 'base64').toString());
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { name: match[1], project: match[2], entity: match[3] };
}

export const sweepAgentGlobalId = (id: number): string => encode(`Agent:${id}`);
export function parseSweepAgentGlobalId(id: string): number | undefined {
  const match = /^Agent:(\d{1,9})$/.exec(Buffer.from(id, 'base64').toString());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
