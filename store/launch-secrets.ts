import { DavitError } from '../domain/errors.js';
import { allowsSecret, secretVariablesOf, type QueueSecrets, type SecretVariables } from '../domain/secrets.js';
import { audit } from './audit.js';
import { requireKeyring, type Keyring } from './keyring.js';
import type { Store } from './open.js';
import { aboutGiven, openSecrets, requireSecrets } from './secrets.js';

/** What launches get of the named secrets: references at enqueue, values for the agent that holds the launch. */

/**
 * The variables that its jobs will be given, by the names of secrets. Throws when the queue does not allow one of them or the one that opens the
 * job's remote, or there is none.
 */
export async function secretsAtEnqueue(
  db: Store,
  queue: QueueSecrets & { entityId: number },
  wanted: SecretVariables | undefined,
  ofRemote: string | undefined,
): Promise<SecretVariables> {
  const variables = secretVariablesOf(queue, wanted);
  const names = [...new Set([...Object.values(variables), ...(ofRemote === undefined ? [] : [ofRemote])])];
  requireAllowed(queue, names);
  await requireSecrets(db, queue.entityId, names);
  return variables;
}

function requireAllowed(queue: QueueSecrets, names: readonly string[]): void {
  const refused = names.find((name) => !allowsSecret(queue, name));
  if (refused !== undefined)
    throw new DavitError('secret-not-allowed', `The queue does not allow its launches the secret "${refused}".`);
}

async function queueSecretsOf(db: Store, queueId: number) {
  const row = await db
    .selectFrom('queue')
    .innerJoin('entity', 'entity.id', 'queue.entity_id')
    .select(['queue.entity_id', 'entity.name as entity', 'queue.secrets', 'queue.secret_variables as secretVariables'])
    .where('queue.id', '=', queueId)
    .executeTakeFirst();
  if (!row) throw new DavitError('unknown-queue');
  return row;
}

/**
 * The values of these secrets for the agent that holds the launch. What its queue allows is asked now: it may have changed while the launch
 * waited. Kept, sealed, until the launch has ended, so that every log of it can be masked, and noted in the audit.
 */
export async function giveSecrets(
  db: Store,
  keyring: Keyring,
  to: { launch: { id: string; attempt: number; queue_id: number }; agent: string },
  names: readonly string[],
): Promise<Record<string, string>> {
  const { launch, agent } = to;
  const queue = await queueSecretsOf(db, launch.queue_id);
  requireAllowed(queue, names);
  return db.transaction().execute(async (tx) => {
    const values = await openSecrets(tx, keyring, queue.entity_id, names);
    for (const [name, value] of values) {
      const { keyId, sealed } = keyring.seal(value, aboutGiven(launch.id, name));
      // A row each time: an earlier one may hold another value, which a job has.
      await tx.insertInto('launch_secret').values({ launch_id: launch.id, name, key_id: keyId, sealed }).execute();
      await audit(tx, {
        actor: `agent/${agent}`,
        action: 'secret.use',
        subject: `secret/${queue.entity}/${name}`,
        data: { launch: launch.id, attempt: launch.attempt },
      });
    }
    return Object.fromEntries(values);
  });
}

/** Everything that jobs of this launch were given and its log must not show. */
export async function secretsGiven(db: Store, keyring: Keyring | undefined, launchId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('launch_secret')
    .select(['name', 'key_id', 'sealed'])
    .where('launch_id', '=', launchId)
    .execute();
  if (rows.length === 0) return [];
  const keys = requireKeyring(keyring);
  return rows.map(({ name, key_id, sealed }) => keys.open({ keyId: key_id, sealed }, aboutGiven(launchId, name)));
}
