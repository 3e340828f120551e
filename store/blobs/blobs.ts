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
  /** Stores or replaces. Throws `body-too-large`, `digest-mismatch`, `storage-full`, `storage-unavailable`; what was stored before stays then. */
  put(key: string, source: Readable, options: PutOptions): Promise<BlobDigest>;
  /** `start` and `end` are byte positions, both inclusive. Throws `not-found`. */
  open(key: string, range?: { start?: number; end?: number }): Promise<Readable>;
  stat(key: string): Promise<BlobStat | undefined>;
  /** Absent already is fine. */
  remove(key: string): Promise<void>;
  /** An absolute address to PUT the bytes to. */
  uploadUrl(key: string, options: UploadLink): Promise<string>;
  /** An absolute address to GET the bytes from. */
  downloadUrl(key: string, options: DownloadLink): Promise<string>;

  /** Begins an upload in parts, for large files; gives its id. Nothing shows under the key until it is complete. */
  beginParts(key: string): Promise<string>;
  /** An absolute address to PUT a part to; its answer has an ETag. */
  partUrl(part: BlobPart, options: UploadLink): Promise<string>;
  /** Stores a part that came to an address of ours. Storage with addresses of its own has no use for it. */
  putPart?(part: BlobPart, source: Readable, options: PutOptions): Promise<BlobDigest>;
  /**
   * Makes the blob of its parts, in the order of their numbers. Again after it was done: fine. Throws `artifact-incomplete` when a part is not
   * there, `digest-mismatch` when the bytes are seen and are not those of `md5Base64`; the parts stay, to be sent again or aborted.
   */
  completeParts(key: string, uploadId: string, parts: readonly PartTag[], md5Base64: string): Promise<BlobStat>;
  /** Throws the parts away. Absent already is fine. */
  abortParts(key: string, uploadId: string): Promise<void>;
  /** Takes away the halves that killed processes left. Storage that shows nobody a half takes care of its own. */
  removeLeftovers?(): Promise<void>;
}

export interface PutOptions {
  maxBytes: number;
  /** What the bytes must have. */
  md5Base64?: string | undefined;
}

export interface BlobPart {
  key: string;
  uploadId: string;
  /** From 1 to 10,000. */
  partNumber: number;
}

export interface PartTag {
  partNumber: number;
  etag: string;
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
  /** What the bytes must have; the client has to send it as Content-MD5. */
  md5Base64?: string | undefined;
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
