import { z } from 'zod';

/** Jobs as the wandb client knows them: their names, references and entry points. What is in a version: job-file.ts. */

/** The code artifact that belongs to a job made from a folder. */
export const codeCollectionName = (job: string): string => `code-${job}`;

/** Ids of artifacts on the wire are base64: the wandb client decodes them. */
export const artifactWireId = (id: number): string => Buffer.from(`Artifact:${id}`).toString('base64');

export const artifactReference = (id: number): string => `wandb-artifact://_id/${artifactWireId(id)}`;

/** The number in an id as it is on the wire; undefined when it is no id of an artifact. */
export function artifactIdOfWireId(wireId: string): number | undefined {
  const id = /^Artifact:([1-9][0-9]{0,8})$/.exec(Buffer.from(wireId, 'base64').toString('utf8'))?.[1];
  return id ? Number(id) : undefined;
}

/** The artifact id inside `wandb-artifact://_id/<wire id>`. */
export function artifactIdOfReference(reference: string): number | undefined {
  const wire = /^wandb-artifact:\/\/_id\/([A-Za-z0-9+/]+={0,2})$/.exec(reference)?.[1];
  return wire === undefined ? undefined : artifactIdOfWireId(wire);
}

/** `python -u "my train.py"` → one string per argument: split on spaces, quotes keep a space. `["python", "train.py"]` (JSON) is exact. */
export function parseEntryPoint(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    try {
      const parsed = z.array(z.string().min(1)).min(1).max(256).safeParse(JSON.parse(trimmed));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }
  const words: string[] = [];
  const pattern = /\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)/gy;
  let end = 0;
  for (let match = pattern.exec(trimmed); match?.[1] !== undefined; match = pattern.exec(trimmed)) {
    end = pattern.lastIndex;
    words.push(
      match[1].replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
    );
  }
  // Left-over text is a quote without its partner.
  return words.length > 0 && end === trimmed.length ? words : undefined;
}

const isScript = (word: string): boolean => /\.(py|sh|bash|ipynb)$/.test(word);
const isInterpreter = (word: string): boolean => /^(python[0-9.]*|bash|sh|zsh)$/.test(word);

/**
 * The file of the job's own folder that the entry point starts; undefined when it starts something that is not in the folder (a module, an
 * installed program). Wrong guesses must be on the side of undefined: a job that is refused cannot be run at all.
 */
export function scriptOfEntryPoint(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words;
  if (program.startsWith('/')) return undefined;
  if (program.includes('/') || isScript(program)) return tidy(program);
  if (isInterpreter(program)) {
    for (const word of rest) {
      // -m runs a module, -c runs its own text; other flags may or may not take a value, so only a script's ending counts after them.
      if (word === '-m' || word === '-c') return undefined;
      if (word.startsWith('-')) continue;
      return word.startsWith('/') || !isScript(word) ? undefined : tidy(word);
    }
    return undefined;
  }
  const script = rest.find((word) => isScript(word) && !word.startsWith('-') && !word.startsWith('/'));
  return script === undefined ? undefined : tidy(script);
}

const tidy = (path: string): string => path.replace(/^(\.\/+)+/, '');

/** `3.11.7` → `3.11`: jobs name a minor version. */
export const minorPythonVersion = (text: string): string | undefined =>
  /^\s*(?:python-)?(3\.[0-9]{1,2})(?:\.|\s|$)/.exec(text)?.[1];

export interface JobReference {
  entity: string;
  project: string;
  name: string;
  /** An alias or `vN`. */
  alias: string;
}

/** `name`, `name:alias`, `project/name:alias`, `entity/project/name:alias`; undefined when it is none of them. */
export function parseJobReference(
  text: string,
  home: { entity: string; project?: string | undefined },
): JobReference | undefined {
  const [path = '', alias = 'latest', ...surplus] = text.split(':');
  const parts = path.split('/');
  const name = parts.at(-1);
  const project = parts.length > 1 ? parts.at(-2) : home.project;
  const entity = parts.length > 2 ? parts.at(-3) : home.entity;
  if (!name || !project || !entity || !alias || parts.length > 3 || surplus.length > 0) return undefined;
  return { entity, project, name, alias };
}

/** The index in `v12`; undefined for every other alias. */
export function versionIndexOf(alias: string): number | undefined {
  const index = /^v(0|[1-9][0-9]{0,8})$/.exec(alias)?.[1];
  return index === undefined ? undefined : Number(index);
}
