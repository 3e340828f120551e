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
export const projectInternalId = (id: number): string => encode(`ProjectInternalId:${id}`);
export const entityGlobalId = (id: number): string => encode(`Entity:${id}`);
export const userGlobalId = (id: number): string => encode(`User:${id}`);
export const runFileGlobalId = (runId: number, name: string): string => encode(`File:${runId}:${name}`);
export function parseRunFileGlobalId(id: string): { runId: number; name: string } | undefined {
  const match = /^File:(\d{1,9}):(.+)$/s.exec(Buffer.from(id, 'base64').toString());
  return match?.[2] === undefined ? undefined : { runId: Number(match[1]), name: match[2] };
}
