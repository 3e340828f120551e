/** What one version of a job has that another has not. */

export interface FieldChange {
  field: string;
  /** Null: it is not there. */
  from: unknown;
  to: unknown;
}

/** Objects are gone into, everything else is compared as a whole. A field is named by its path, `source.git.commit`. */
export function changedFields(from: unknown, to: unknown, path = ''): FieldChange[] {
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) =>
      changedFields(own(from, name), own(to, name), path === '' ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field: path, from: from ?? null, to: to ?? null }];
}

const own = (object: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lines that only one of two texts has; their order means nothing. */
export function changedLines(from: string, to: string): { added: string[]; removed: string[] } {
  const [before, after] = [linesOf(from), linesOf(to)];
  return {
    added: [...after].filter((line) => !before.has(line)),
    removed: [...before].filter((line) => !after.has(line)),
  };
}

const linesOf = (text: string): Set<string> =>
  new Set(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );

export interface FileChange {
  path: string;
  change: 'added' | 'removed' | 'changed';
}

/** By path. `digest` stands for a file's bytes. */
export function changedFiles(
  from: readonly { path: string; digest: string }[],
  to: readonly { path: string; digest: string }[],
): FileChange[] {
  const [before, after] = [from, to].map((files) => new Map(files.map((file) => [file.path, file.digest])));
  const changes: FileChange[] = [];
  for (const [path, digest] of after ?? []) {
    const was = before?.get(path);
    if (was === undefined) changes.push({ path, change: 'added' });
    else if (was !== digest) changes.push({ path, change: 'changed' });
  }
  for (const path of before?.keys() ?? []) if (after?.has(path) !== true) changes.push({ path, change: 'removed' });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
