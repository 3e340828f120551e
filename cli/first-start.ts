import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { DavitError } from '../domain/errors.js';
import type { TargetName } from '../domain/words.js';
import { ensureFirstAdmin, findValidKey, hashOfKey, isKeyText, issueKey, newKeyText } from '../store/keys.js';
import type { KeyKind } from '../store/keys.js';
import type { Store } from '../store/open.js';
import { createQueue, listQueues } from '../store/queues.js';
import { isErrno, readIfThere, writeSynced } from './stack/files.js';

/** Makes the first user when the database has none; its key goes into the file, or to the log when there is none. */
export async function makeFirstAdmin(
  db: Store,
  options: { name: string; keyFile: string; log: Logger },
): Promise<void> {
  const any = await db.selectFrom('user_account').select('id').limit(1).executeTakeFirst();
  if (any) return;
  // On disk before it is valid: a crash in between leaves a key without use, never a user whose key nobody has.
  const key = keyInFile(options.keyFile, 'user');
  const made = await ensureFirstAdmin(db, { username: options.name, key });
  if (made)
    options.log.info(
      { user: made.username, keyFile: options.keyFile },
      'made the first user, an admin; its key is in the file',
    );
}

/**
 * What an embedded stack has beyond a bare server: whoever owns the data folder owns the database, so keys that are missing or not valid
 * (the file was deleted, the database was replaced) are made again, and there is a queue to begin with.
 */
export async function prepareEmbedded(
  db: Store,
  options: {
    keysFolder: string;
    adminName: string;
    queue: string;
    /** Does a Docker Engine answer on this machine? */
    hasEngine: () => Promise<boolean>;
    log: Logger;
  },
): Promise<void> {
  await makeFirstAdmin(db, { name: options.adminName, keyFile: join(options.keysFolder, 'admin'), log: options.log });
  // The first user, even when the user of the machine was renamed since.
  const admin = await db
    .selectFrom('user_account')
    .innerJoin('entity', 'entity.id', 'user_account.entity_id')
    .select(['user_account.id as userId', 'entity.id as entityId', 'entity.name as entity'])
    .where('user_account.is_admin', '=', true)
    .orderBy('user_account.id')
    .executeTakeFirst();
  if (admin === undefined) throw new DavitError('internal', 'The database has users, and none of them is an admin.');
  const { userId, entityId } = admin;
  const first = { userId, description: 'admin of the data folder' };
  await ensureValid(db, join(options.keysFolder, 'admin'), 'user', (key) =>
    issueKey(db, { ...first, kind: 'user', key }),
  );
  const second = { userId, entityId, description: 'agent of the data folder' };
  await ensureValid(db, join(options.keysFolder, 'agent'), 'agent', (key) =>
    issueKey(db, { ...second, kind: 'agent', key }),
  );
  // Whose queues the agent serves. A file, because only the database knows what the first user was called.
  writeSynced(join(options.keysFolder, 'entity'), `${admin.entity}\n`);

  const make = async (name: string, target: TargetName, description: string): Promise<void> => {
    const queue = { entityId, name, target, description, createdBy: admin.entity };
    await createQueue(db, { ...queue, requireRun: true, resourceConfig: {} });
    options.log.info({ queue: `${admin.entity}/${name}`, target }, 'made a queue to begin with');
  };
  const queues = await listQueues(db, { entityIds: [entityId] }, { limit: 1 });
  if (queues.length === 0) await make(options.queue, 'process', 'processes on this machine');
  // With the first start that finds an Engine; once somebody deleted it, it does not come back.
  const ever = await db
    .selectFrom('queue')
    .select('id')
    .where('entity_id', '=', entityId)
    .where((or) => or.or([or('target', '=', 'docker'), or('name', '=', dockerQueue)]))
    .limit(1)
    .executeTakeFirst();
  if (ever === undefined && (await options.hasEngine()))
    await make(dockerQueue, 'docker', 'containers on the Docker Engine of this machine');
}

const dockerQueue = 'docker';

async function ensureValid(
  db: Store,
  file: string,
  kind: KeyKind,
  issue: (key: string) => Promise<unknown>,
): Promise<void> {
  const key = keyInFile(file, kind);
  if ((await findValidKey(db, hashOfKey(key))) !== undefined) return;
  const known = await db.selectFrom('api_key').select('id').where('hash', '=', hashOfKey(key)).executeTakeFirst();
  if (known === undefined) {
    await issue(key);
    return;
  }
  // Revoked or expired: such a key never comes back, so the file gets another.
  rmSync(file);
  await issue(keyInFile(file, kind));
}

/** The key in the file; a new one is written when there is none. */
function keyInFile(file: string, kind: KeyKind): string {
  const there = readIfThere(file)?.trim();
  if (there !== undefined && isKeyText(there) && there.startsWith(`davit_${kind}-`)) return there;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  const key = newKeyText(kind);
  writeSynced(draft, `${key}\n`, 0o600);
  try {
    // Two processes at once: one link succeeds, and both use the key that stands there.
    if (there !== undefined) rmSync(file, { force: true });
    linkSync(draft, file);
    return key;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    return readIfThere(file)?.trim() ?? key;
  } finally {
    rmSync(draft, { force: true });
  }
}
