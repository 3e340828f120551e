import type { Api } from '../client/index.js';
import { readValues, splitAssignment } from './overrides.js';

/** Input schemas from files that options name; undefined: none was named. */
export function inputsFrom(
  schema: string | undefined,
  fileSchemas: readonly string[] = [],
): Api<'JobInputs'> | undefined {
  if (schema === undefined && fileSchemas.length === 0) return undefined;
  const files = fileSchemas.map((word) => {
    const { name, value } = splitAssignment(word, '--file-schema');
    return [name, readValues(value)] as const;
  });
  return {
    ...(schema === undefined ? {} : { config: readValues(schema) }),
    ...(files.length === 0 ? {} : { files: Object.fromEntries(files) }),
  };
}
