import { DavitError } from '../domain/errors.js';
import { nameSchema } from '../domain/ids.js';
import type { Connected } from './connect.js';

/** `queue` or `entity/queue`: without an entity, that of the key. */
export async function qualified(reference: string, api: Connected): Promise<{ entity: string; name: string }> {
  const parts = reference.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || !parts.every((part) => nameSchema.safeParse(part).success)) {
    throw new DavitError(
      'wrong-usage',
      `"${reference}" is not a name, or entity/name, of letters, digits, "_", "-" and ".".`,
    );
  }
  return second === undefined ? { entity: await api.entity(), name: first } : { entity: first, name: second };
}
