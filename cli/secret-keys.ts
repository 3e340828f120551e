import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Keyring, newKeyLine } from '../store/keyring.js';
import type { Store } from '../store/open.js';
import { countByKey } from '../store/secrets.js';
import { invalid } from './config/load.js';
import { isErrno, readIfThere, writeSynced } from './stack/files.js';

/** Where an API process has the keys from that secrets are stored under. */

export function keyringOf(values: {
  secretKeys?: string | undefined;
  secretKeysFile?: string | undefined;
}): Keyring | undefined {
  const { secretKeys, secretKeysFile } = values;
  const refuse = (path: string, message: string) => invalid('server', [{ path, message }]);
  if (secretKeys !== undefined && secretKeysFile !== undefined)
    throw refuse('secretKeys', 'and secretKeysFile are both given; one of them is enough');
  if (secretKeys !== undefined) return parsed(secretKeys, (message) => refuse('secretKeys', message));
  if (secretKeysFile === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(secretKeysFile, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse('secretKeysFile', `cannot be read: ${reason}`);
  }
  return parsed(text, (message) => refuse('secretKeysFile', `${secretKeysFile}: ${message}`));
}

function parsed(text: string, refuse: (message: string) => Error): Keyring {
  try {
    return Keyring.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/** An embedded stack makes its own key at the first start. Without the file, a copy of its database tells nobody its secrets. */
export function embeddedKeyring(keysFolder: string): Keyring {
  const file = join(keysFolder, 'secrets');
  const there = readIfThere(file);
  if (there !== null) return Keyring.parse(there);
  mkdirSync(keysFolder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  writeSynced(draft, `${newKeyLine(new Date())}\n`, 0o600);
  try {
    // Two processes at once: one link succeeds, and both use what stands there.
    linkSync(draft, file);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return Keyring.parse(readFileSync(file, 'utf8'));
}

/** At the start, when somebody looks: later it shows as launches that fail. */
export async function warnOfMissingKeys(db: Store, keyring: Keyring | undefined, log: Logger): Promise<void> {
  const configured = keyring?.ids ?? [];
  for (const { keyId, secrets, running } of await countByKey(db))
    if (!configured.includes(keyId))
      log.warn(
        { key: keyId, stored: secrets, ofLaunches: running },
        'secrets are stored under a key that is not configured: they cannot be used',
      );
}
