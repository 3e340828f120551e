import type { Readable } from 'node:stream';
import { DavitError } from '../../domain/errors.js';

/**
 * Where bytes are kept: files of runs, artifacts, code. A folder or S3-compatible storage.
 *
 * Keys: see `checkKey`. A blob is whole or absent, never half. Clients reach blobs by addresses that carry their own permission and an end,
 * because the wandb client sends no credentials with them.
 */
export interface Blobs {
  /** Are uploads noted as they come in? Else (bytes go past us) the storage has to be asked. */
  readonly tellsUploads: boolean;
  /** Stores or replaces. Throws `body-too-large`, `storage-full`, `storage-unavailable`; what was stored before stays then. */
  put(key: string, source: Readable, options: { maxBytes: number }): Promise<BlobDigest>;
  /** `start` and `end` are byte positions, both inclusive. Throws `not-found`. */
  open(key: string, range?: { start?: number; end?: number }): Promise<Readable>;
  stat(key: string): Promise<BlobStat | undefined>;
  /** Absent already is fine. */
  remove(key: string): Promise<void>;
  /** An absolute address to PUT the bytes to. */
  uploadUrl(key: string, options: UploadLink): Promise<string>;
  /** An absolute address to GET the bytes from. */
  downloadUrl(key: string, options: DownloadLink): Promise<string>;
}

export interface BlobStat {
  size: number;
  /** When the storage knows it without reading the bytes. */
  md5Base64?: string;
}

export interface BlobDigest {
  size: number;
  md5Base64: string;
  sha256Hex: string;
}

export interface UploadLink {
  expiresInMs: number;
  /** A folder refuses more while it streams. S3 cannot be told a limit with a signed PUT, so there it is not enforced. */
  maxBytes: number;
  contentType?: string;
  /** Scheme, host and port by which this client reaches the API; default: the public address. S3 has addresses of its own. */
  origin?: string;
}

export interface DownloadLink {
  expiresInMs: number;
  /** The name a browser saves it under. */
  fileName?: string;
  origin?: string;
}

/** Segments of safe characters. One look at the key shows that it can leave no folder and needs no escaping in an address. */
const keyPattern = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*(\/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*$/;

export function isBlobKey(key: string): boolean {
  return key.length <= 200 && keyPattern.test(key);
}

export function checkKey(key: string): string {
  if (!isBlobKey(key)) throw new DavitError('invalid-request', `"${key.slice(0, 200)}" is not a key of a stored file.`);
  return key;
}
