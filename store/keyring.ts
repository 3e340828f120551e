import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DavitError } from '../domain/errors.js';

/** A value as it is stored: under which key, and nonce, ciphertext and tag in one. */
export interface Sealed {
  keyId: string;
  sealed: Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/**
 * The keys that secrets are stored under (AES-256-GCM). The first one seals; the others open what was sealed before, until it is sealed anew.
 * `about` names the row that a value belongs to: in another row it does not open.
 */
export class Keyring {
  private constructor(private readonly keys: ReadonlyMap<string, Buffer>) {}

  /** `id:base64`, one a line or separated by commas; lines that begin with # are comments. Throws a sentence that tells nothing of the keys. */
  static parse(text: string): Keyring {
    const keys = new Map<string, Buffer>();
    const lines = text.split('\n').filter((line) => !line.trim().startsWith('#'));
    for (const [i, entry] of lines
      .join('\n')
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .entries()) {
      const [, id, encoded] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(entry) ?? [];
      if (id === undefined || encoded === undefined) throw new Error(`key ${i + 1} is not written as id:base64`);
      const key = Buffer.from(encoded, 'base64');
      if (key.length !== keyBytes) throw new Error(`key "${id}" has ${key.length} bytes, not ${keyBytes}`);
      if (keys.has(id)) throw new Error(`there are two keys "${id}"`);
      keys.set(id, key);
    }
    if (keys.size === 0) throw new Error('there is no key in it');
    return new Keyring(keys);
  }

  get ids(): string[] {
    return [...this.keys.keys()];
  }
  /** The one that seals. */
  get current(): string {
    return this.ids[0] ?? '';
  }

  seal(value: string, about: readonly (string | number)[]): Sealed {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.key(this.current), nonce);
    cipher.setAAD(Buffer.from(JSON.stringify(about)));
    const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return { keyId: this.current, sealed: Buffer.concat([nonce, text, cipher.getAuthTag()]) };
  }

  open({ keyId, sealed }: Sealed, about: readonly (string | number)[]): string {
    const decipher = createDecipheriv('aes-256-gcm', this.key(keyId), sealed.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(JSON.stringify(about)));
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    try {
      const text = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      throw new DavitError('secret-unreadable', `A secret does not open with the key "${keyId}" that is configured.`);
    }
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key) throw new DavitError('secret-unreadable', `A secret is stored under the key "${id}", which is missing.`);
    return key;
  }
}

/** A new key as a line of a key file, called by its day. */
export const newKeyLine = (now: Date): string =>
  `k${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(2).toString('hex')}:${randomBytes(keyBytes).toString('base64')}`;

export function requireKeyring(keyring: Keyring | undefined): Keyring {
  if (!keyring) throw new DavitError('secrets-not-configured');
  return keyring;
}
