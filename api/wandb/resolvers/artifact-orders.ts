import { sql } from 'kysely';
import { DavitError } from '../../../domain/errors.js';
import type { FilterKey } from '../../../store/artifact-filter.js';
import { placeIndexOrder } from '../../../store/artifact-places.js';
import type { Order } from '../../../store/keyset.js';

/** By what versions and collections can be filtered and ordered, under the names that clients use. */

const text = (expression: FilterKey['expression']): FilterKey => ({ type: 'text', expression });
const time = (expression: FilterKey['expression']): FilterKey => ({ type: 'time', expression });
const number = (expression: FilterKey['expression']): FilterKey => ({ type: 'number', expression });
const list = (expression: FilterKey['expression']): FilterKey => ({ type: 'list', expression });

const versionTags = list(sql`select tag as value from artifact_tag where artifact_id = artifact.id`);
const versionAliases = list(
  sql`select alias as value from artifact_alias where artifact_id = artifact.id and collection_id = artifact_membership.collection_id`,
);
const versionKeys: Record<string, FilterKey> = {
  state: text(sql`artifact.state`),
  digest: text(sql`artifact.digest`),
  description: text(sql`artifact.description`),
  versionIndex: number(sql`artifact_membership.version_index`),
  version_index: number(sql`artifact_membership.version_index`),
  size: number(sql`artifact.size`),
  createdAt: time(sql`artifact.created_at`),
  created_at: time(sql`artifact.created_at`),
  updatedAt: time(sql`artifact.updated_at`),
  updated_at: time(sql`artifact.updated_at`),
  tag: versionTags,
  tags: versionTags,
  alias: versionAliases,
  aliases: versionAliases,
};
export const versionKey = (name: string): FilterKey | undefined =>
  Object.hasOwn(versionKeys, name) ? versionKeys[name] : undefined;

const collectionTags = list(
  sql`select tag as value from artifact_collection_tag where collection_id = artifact_collection.id`,
);
const collectionKeys: Record<string, FilterKey> = {
  name: text(sql`artifact_collection.name`),
  description: text(sql`artifact_collection.description`),
  type: text(sql`artifact_collection.type`),
  createdAt: time(sql`artifact_collection.created_at`),
  created_at: time(sql`artifact_collection.created_at`),
  updatedAt: time(sql`artifact_collection.updated_at`),
  updated_at: time(sql`artifact_collection.updated_at`),
  tag: collectionTags,
  tags: collectionTags,
};
export const collectionKey = (name: string): FilterKey | undefined =>
  Object.hasOwn(collectionKeys, name) ? collectionKeys[name] : undefined;

/** `+name`, `-name`, `name`; without one what the caller takes. */
function parse(order: string | null | undefined, otherwise: string): { name: string; descending: boolean } {
  const wanted = order || otherwise;
  return { name: wanted.replace(/^[+-]/, ''), descending: wanted.startsWith('-') };
}

const unknown = (name: string) =>
  new DavitError('invalid-request', `Artifacts cannot be ordered by "${name.slice(0, 100)}".`);

/** Newest first unless said otherwise. Within a collection versions are counted as they are made. */
export function versionOrder(order: string | null | undefined): Order {
  const { name, descending } = parse(order, '-versionIndex');
  if (/^(version_?index|created_?at|id)$/i.test(name)) return placeIndexOrder(descending);
  if (/^updated_?at$/i.test(name)) return { expression: sql`artifact.updated_at`, type: 'timestamptz', descending };
  if (name === 'size') return { expression: sql`artifact.size`, type: 'bigint', descending };
  throw unknown(name);
}

export function collectionOrder(order: string | null | undefined): Order {
  const { name, descending } = parse(order, '-id');
  if (name === 'name') return { expression: sql`artifact_collection.name`, type: 'text', descending };
  if (/^(created_?at|id)$/i.test(name)) return { expression: sql`artifact_collection.id`, type: 'bigint', descending };
  if (/^updated_?at$/i.test(name))
    return { expression: sql`artifact_collection.updated_at`, type: 'timestamptz', descending };
  throw unknown(name);
}
