import { versionIndexOf } from './job.js';

/** Names of artifact collections, types, aliases, and of the files inside a version. All of them come from clients. */

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const unprintable = /[\u0000-\u001f\u007f]|\p{Surrogate}/u;

/** What is wrong with the name of a collection, a type, an alias or a tag; undefined: nothing. They are parts of paths: `entity/project/name:alias`. */
export function artifactNameProblem(what: 'collection' | 'type' | 'alias' | 'tag', name: string): string | undefined {
  if (name === '') return `The name of the ${what} is empty.`;
  if (name.length > 256) return `The name of the ${what} is longer than 256 characters.`;
  if (unprintable.test(name)) return `The name of the ${what} has characters that cannot be printed.`;
  if (what !== 'type' && what !== 'tag' && /[/:]/.test(name))
    return `"${name}" cannot be the name of a ${what}: "/" and ":" separate names.`;
  return name === '.' || name === '..' ? `"${name}" cannot be the name of a ${what}.` : undefined;
}

const registryPrefix = 'wandb-registry-';

/** Clients know a registry by the name of its project. */
export const isRegistryName = (project: string): boolean =>
  project.startsWith(registryPrefix) && project !== registryPrefix;

/** `v3` names the version itself: it is nobody's to give. */
export const isVersionAlias = (alias: string): boolean => versionIndexOf(alias) !== undefined;

const longestPath = 4096;

/** May a version have a file of this path? It becomes a path wherever it is downloaded to. */
export function artifactPathProblem(path: string): string | undefined {
  const shown = path.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
  if (path === '') return 'A file has no name.';
  if (path.length > longestPath) return `The path "${shown}…" is longer than ${longestPath} characters.`;
  if (unprintable.test(path)) return `The path "${shown}" has characters that a path may not have.`;
  if (/^[/\\]/.test(path) || /^[A-Za-z]:[/\\]/.test(path)) return `The path "${shown}" is not relative.`;
  return path.split(/[/\\]/).includes('..') ? `The path "${shown}" leaves the folder of the artifact.` : undefined;
}
