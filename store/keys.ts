import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Store } from './open.js';

/** API keys. Only the SHA-256 of a key is kept: its text exists once, in the answer to its making. */

export type KeyKind = 'user' | 'agent' | 'run';

/** Old wandb clients insist on exactly 40 characters after the first "-". */
export const newKeyText = (kind: KeyKind): string => `davit_${kind}-${randomBytes(20).toString('hex')}`;

const keyPattern = /^davit_(user|agent|run)-[0-9a-f]{40}$/;
/** Has this text the form of a key? Anything else need not reach the database. */
export const isKeyText = (text: string): boolean => keyPattern.test(text);

export const hashOfKey = (key: string): Buffer => createHash('sha256').update(key).digest();

export interface NewKey {
  kind: KeyKind;
  /** user: whose key. agent, run: on whose behalf it acts. */
  userId?: number;
  /** agent, run: the one entity it reaches. */
  entityId?: number;
  /** run: the one launch it reaches. */
  launchId?: string;
  /** agent: the queues it may serve; default: every one of its entity. */
  queueIds?: readonly number[];
  description?: string;
  expiresAt?: Date;
  /** A key made beforehand (written to a file before it becomes valid); default: a new one. */
  key?: string;
}

/** Returns the text of the key, which cannot be read again. */
export async function issueKey(db: Store, options: NewKey): Promise<{ id: string; key: string }> {
  const key = options.key ?? newKeyText(options.kind);
  const row = await db
    .insertInto('api_key')
    .values({
      kind: options.kind,
      hash: hashOfKey(key),
      hint: key.slice(-4),
      description: options.description ?? '',
      user_id: options.userId ?? null,
      entity_id: options.entityId ?? null,
      launch_id: options.launchId ?? null,
      queue_ids: options.queueIds === undefined ? null : [...options.queueIds],
      expires_at: options.expiresAt ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id: row.id, key };
}

export async function revokeKey(db: Store, id: string): Promise<boolean> {
  const result = await db
    .updateTable('api_key')
    .set({ revoked_at: new Date() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The job has ended (or another attempt takes over): what it was given opens nothing any more. */
export async function revokeLaunchKeys(db: Store, launchId: string): Promise<void> {
  await db
    .updateTable('api_key')
    .set({ revoked_at: new Date() })
    .where('launch_id', '=', launchId)
    .where('revoked_at', 'is', null)
    .execute();
}

/** The row behind a key that is valid now, with its user's home entity. */
export async function findValidKey(db: Store, hash: Buffer) {
  return db
    .selectFrom('api_key')
    .leftJoin('user_account', 'user_account.id', 'api_key.user_id')
    .leftJoin('entity', 'entity.id', 'user_account.entity_id')
    .select([
      'api_key.id',
      'api_key.kind',
      'api_key.description',
      'api_key.hint',
      'api_key.entity_id',
      'api_key.launch_id',
      'api_key.queue_ids',
      'api_key.expires_at',
      'api_key.last_used_at',
      'user_account.id as user_id',
      'user_account.username',
      'user_account.is_admin',
      'user_account.entity_id as home_entity_id',
      'entity.name as home_entity_name',
    ])
    .where('api_key.hash', '=', hash)
    .where('api_key.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('api_key.expires_at', 'is', null), eb('api_key.expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst();
}

/** At most once a minute, so that a busy key does not write on each request. */
export async function touchKey(db: Store, id: string): Promise<void> {
  await db
    .updateTable('api_key')
    .set({ last_used_at: new Date() })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', sql<Date>`now() - interval '1 minute'`)]),
    )
    .execute();
}

export async function listKeysOfUser(db: Store, userId: number) {
  return db
    .selectFrom('api_key')
    .leftJoin('entity', 'entity.id', 'api_key.entity_id')
    .select([
      'api_key.id',
      'api_key.kind',
      'api_key.hint',
      'api_key.description',
      'entity.name as entity',
      'api_key.queue_ids',
      'api_key.created_at',
      'api_key.expires_at',
      'api_key.revoked_at',
      'api_key.last_used_at',
    ])
    .where('api_key.user_id', '=', userId)
    .where('api_key.kind', '!=', 'run')
    .orderBy('api_key.created_at', 'desc')
    .orderBy('api_key.id')
    .limit(1000)
    .execute();
}

export async function keyById(db: Store, id: string) {
  return db
    .selectFrom('api_key')
    .select(['id', 'kind', 'user_id', 'entity_id', 'launch_id', 'revoked_at'])
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Any number that nobody else uses as a single-key advisory lock. */
const firstAdminLock = 4712_0002;

/**
 * Makes the first user, its entity and its key; returns the key only when it was made by this call. Several programs may try at once.
 * Give `key` (from `newKeyText`) to have it on disk before it becomes valid: a crash in between then loses nothing.
 */
export async function ensureFirstAdmin(
  db: Store,
  options: { username: string; key?: string },
): Promise<{ key: string; username: string; entityId: number } | undefined> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(firstAdminLock)})`.execute(tx);
    const any = await tx.selectFrom('user_account').select('id').limit(1).executeTakeFirst();
    if (any) return undefined;
    const entity = await tx
      .insertInto('entity')
      .values({ name: options.username, kind: 'user' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const user = await tx
      .insertInto('user_account')
      .values({ entity_id: entity.id, username: options.username, display_name: options.username, is_admin: true })
      .returning('id')
      .executeTakeFirstOrThrow();
    const { key } = await issueKey(tx, {
      kind: 'user',
      userId: user.id,
      description: 'first key',
      ...(options.key === undefined ? {} : { key: options.key }),
    });
    return { key, username: options.username, entityId: entity.id };
  });
}
