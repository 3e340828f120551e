import { sql } from 'kysely';
import { DavitError } from '../domain/errors.js';
import type { Keyring } from './keyring.js';
import type { Store } from './open.js';
import { inTransaction } from './transaction.js';

/** Named secrets of entities. Values go in sealed and come out for agents alone (launch-secrets.ts); everything else here is about names. */

const about = (entityId: number, name: string) => ['secret', entityId, name] as const;
/** What a launch was given (launch-secrets.ts). */
export const aboutGiven = (launchId: string, name: string) => ['launch secret', launchId, name] as const;

const columns = [
  'name',
  'description',
  'version',
  'key_id',
  'created_by',
  'created_at',
  'updated_by',
  'updated_at',
  'used_at',
] as const;
export type SecretRow = Awaited<ReturnType<typeof secretByName>> & object;

const secrets = (db: Store, entityId: number) =>
  db.selectFrom('secret').select(columns).where('entity_id', '=', entityId);

export const secretByName = (db: Store, entityId: number, name: string) =>
  secrets(db, entityId).where('name', '=', name).executeTakeFirst();

export const listSecrets = (db: Store, entityId: number, page: { afterName?: string | undefined; limit: number }) => {
  const { afterName, limit } = page;
  return secrets(db, entityId)
    .$if(afterName !== undefined, (q) => q.where('name', '>', afterName ?? ''))
    .orderBy('name')
    .limit(limit)
    .execute();
};

export interface NewSecret {
  entityId: number;
  name: string;
  value: string;
  /** Default: as before. */
  description?: string | undefined;
  actor: string;
}

/** Makes the secret or replaces its value; answers the version, 1 for a new one. */
export async function putSecret(db: Store, keyring: Keyring, secret: NewSecret): Promise<number> {
  const { entityId, name, value, description, actor } = secret;
  const { keyId, sealed } = keyring.seal(value, about(entityId, name));
  const row = await db
    .insertInto('secret')
    .values({
      entity_id: entityId,
      name,
      description: description ?? '',
      key_id: keyId,
      sealed,
      created_by: actor,
      updated_by: actor,
    })
    .onConflict((c) =>
      c.columns(['entity_id', 'name']).doUpdateSet({
        version: sql<number>`secret.version + 1`,
        key_id: keyId,
        sealed,
        updated_by: actor,
        updated_at: sql<Date>`now()`,
        ...(description === undefined ? {} : { description }),
      }),
    )
    .returning('version')
    .executeTakeFirstOrThrow();
  return row.version;
}

/** False: there is none. No queue allows the name afterwards: another secret that is called the same is not meant. */
export async function deleteSecret(db: Store, entityId: number, name: string): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const gone = await tx
      .deleteFrom('secret')
      .where('entity_id', '=', entityId)
      .where('name', '=', name)
      .returning('id')
      .executeTakeFirst();
    if (!gone) return false;
    await sql`
      update queue set secrets = array_remove(secrets, ${name}), updated_at = now(),
        secret_variables = coalesce(
          (select jsonb_object_agg(key, value) from jsonb_each_text(secret_variables) where value <> ${name}), '{}')
      where entity_id = ${entityId} and (${name} = any(secrets)
        or exists (select from jsonb_each_text(secret_variables) where value = ${name}))`.execute(tx);
    return true;
  });
}

/** Names of the queues whose launches may use it. */
export async function queuesAllowing(db: Store, entityId: number, names: readonly string[]) {
  if (names.length === 0) return [];
  const { rows } = await sql<{ secret: string; queue: string }>`
    select allowed.name as secret, q.name as queue
    from queue q, lateral (
      select unnest(q.secrets) as name union select value from jsonb_each_text(q.secret_variables)) allowed
    where q.entity_id = ${entityId} and q.deleted_at is null and allowed.name = any(${[...names]}::text[])
    order by q.name`.execute(db);
  return rows;
}

/** Throws `unknown-secret` with the names of those that the entity does not have. */
export async function requireSecrets(db: Store, entityId: number, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const there = await db
    .selectFrom('secret')
    .select('name')
    .where('entity_id', '=', entityId)
    .where('name', 'in', names)
    .execute();
  const missing = names.find((name) => !there.some((row) => row.name === name));
  if (missing !== undefined)
    throw new DavitError('unknown-secret', `The entity that owns the queue has no secret "${missing}".`);
}

/** The values by name. Throws `unknown-secret`, or `secret-unreadable` when its key is missing. */
export async function openSecrets(
  db: Store,
  keyring: Keyring,
  entityId: number,
  names: readonly string[],
): Promise<Map<string, string>> {
  await requireSecrets(db, entityId, names);
  if (names.length === 0) return new Map();
  const rows = await db
    .selectFrom('secret')
    .select(['name', 'key_id', 'sealed'])
    .where('entity_id', '=', entityId)
    .where('name', 'in', names)
    .execute();
  await db
    .updateTable('secret')
    .set({ used_at: sql<Date>`now()` })
    .where('entity_id', '=', entityId)
    .where('name', 'in', names)
    // A minute is exact enough, and spares a busy secret a write on each launch.
    .where((eb) => eb.or([eb('used_at', 'is', null), eb('used_at', '<', sql<Date>`now() - interval '1 minute'`)]))
    .execute();
  return new Map(
    rows.map((row) => [row.name, keyring.open({ keyId: row.key_id, sealed: row.sealed }, about(entityId, row.name))]),
  );
}

const batch = 200;

/** Seals anew what is stored under other keys than the present one. What cannot be opened stays. */
export async function resealSecrets(db: Store, keyring: Keyring): Promise<number> {
  const others = keyring.ids.filter((id) => id !== keyring.current);
  let resealed = 0;
  for (const table of ['secret', 'launch_secret'] as const) {
    for (let done = batch; others.length > 0 && done === batch; resealed += done)
      done = await db.transaction().execute((tx) => resealSome(tx, keyring, table, others));
  }
  return resealed;
}

async function resealSome(
  tx: Store,
  keyring: Keyring,
  table: 'secret' | 'launch_secret',
  under: readonly string[],
): Promise<number> {
  const rows =
    table === 'secret'
      ? await tx
          .selectFrom('secret')
          .select(['id', 'name', 'key_id', 'sealed', 'entity_id as of'])
          .where('key_id', 'in', under)
          .limit(batch)
          .forUpdate()
          .execute()
      : await tx
          .selectFrom('launch_secret')
          .select(['id', 'name', 'key_id', 'sealed', 'launch_id as of'])
          .where('key_id', 'in', under)
          .limit(batch)
          .forUpdate()
          .execute();
  for (const { id, name, key_id, sealed: before, of } of rows) {
    const place = typeof of === 'number' ? about(of, name) : aboutGiven(of, name);
    const { keyId, sealed } = keyring.seal(keyring.open({ keyId: key_id, sealed: before }, place), place);
    await tx.updateTable(table).set({ key_id: keyId, sealed }).where('id', '=', id).execute();
  }
  return rows.length;
}

/** How much lies under each key: a key with nothing under it is not needed any more. */
export async function countByKey(db: Store): Promise<{ keyId: string; secrets: number; running: number }[]> {
  const { rows } = await sql<{ keyId: string; secrets: number; running: number }>`
    select key_id as "keyId", sum(secrets)::int as secrets, sum(running)::int as running from (
      select key_id, count(*) as secrets, 0 as running from secret group by key_id
      union all select key_id, 0, count(*) from launch_secret group by key_id) counted
    group by key_id order by key_id`.execute(db);
  return rows;
}
