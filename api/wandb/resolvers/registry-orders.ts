import { sql } from 'kysely';
import { DavitError } from '../../../domain/errors.js';
import type { FilterKey } from '../../../store/artifact-filter.js';
import type { Order } from '../../../store/keyset.js';
import { collectionKey, versionKey } from './artifact-orders.js';

/** By what registries, their collections and what is linked into them can be filtered and ordered, under the names of clients old and new. */

const registryKeys: Record<string, FilterKey> = {
  // Clients ask for the registry that they have by the number in its internalId.
  id: { type: 'number', expression: sql`project.id` },
  project_id: { type: 'number', expression: sql`project.id` },
  entity_id: { type: 'number', expression: sql`project.entity_id` },
  name: { type: 'text', expression: sql`project.name` },
  description: { type: 'text', expression: sql`project.description` },
  created_at: { type: 'time', expression: sql`project.created_at` },
  updated_at: { type: 'time', expression: sql`project.updated_at` },
};
export const registryKey = (name: string): FilterKey | undefined => own(registryKeys, name);

const collectionIds: Record<string, FilterKey> = {
  id: { type: 'number', expression: sql`artifact_collection.id` },
  collection_id: { type: 'number', expression: sql`artifact_collection.id` },
  artifact_collection_id: { type: 'number', expression: sql`artifact_collection.id` },
};
export const registryCollectionKey = (name: string): FilterKey | undefined =>
  own(collectionIds, name) ?? collectionKey(name);

const linkedKeys: Record<string, FilterKey> = {
  id: { type: 'number', expression: sql`artifact.id` },
  artifact_id: { type: 'number', expression: sql`artifact.id` },
  version: { type: 'text', expression: sql`'v' || artifact_membership.version_index` },
  artifact_created_at: { type: 'time', expression: sql`artifact.created_at` },
  artifact_size: { type: 'number', expression: sql`artifact.size` },
  acm_created_at: { type: 'time', expression: sql`artifact_membership.created_at` },
};
export const linkedKey = (name: string): FilterKey | undefined => own(linkedKeys, name) ?? versionKey(name);

const own = (keys: Record<string, FilterKey>, name: string): FilterKey | undefined =>
  Object.hasOwn(keys, name) ? keys[name] : undefined;

export function registryOrder(order: string | null | undefined): Order {
  const { name, descending } = parse(order, 'name');
  if (name === 'name') return { expression: sql`project.name`, type: 'text', descending };
  if (name === 'created_at') return { expression: sql`project.created_at`, type: 'timestamptz', descending };
  if (name === 'updated_at') return { expression: sql`project.updated_at`, type: 'timestamptz', descending };
  throw unknown('Registries', name);
}

/** What was linked last comes first unless said otherwise. */
export function linkedOrder(order: string | null | undefined): Order {
  const { name, descending } = parse(order, '-acm_created_at');
  if (name === 'acm_created_at') return { expression: sql`artifact_membership.id`, type: 'bigint', descending };
  if (name === 'artifact_created_at') return { expression: sql`artifact.created_at`, type: 'timestamptz', descending };
  if (name === 'artifact_size') return { expression: sql`artifact.size`, type: 'bigint', descending };
  throw unknown('Versions in registries', name);
}

function parse(order: string | null | undefined, otherwise: string): { name: string; descending: boolean } {
  const wanted = order || otherwise;
  return { name: wanted.replace(/^[+-]/, ''), descending: wanted.startsWith('-') };
}

const unknown = (what: string, name: string) =>
  new DavitError('invalid-request', `${what} cannot be ordered by "${name.slice(0, 100)}".`);
