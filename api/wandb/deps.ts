import type { Logger } from 'pino';
import type { Blobs } from '../../store/blobs/blobs.js';
import type { Keyring } from '../../store/keyring.js';
import type { Store } from '../../store/open.js';

export interface WandbDeps {
  db: Store;
  blobs: Blobs;
  log: Logger;
  /** What secrets are stored under. */
  keyring?: Keyring | undefined;
  /** Where clients reach this API; see api/origin.ts for when another address is used. */
  publicUrl: string;
}

export const wandbLimits = {
  /** GraphQL and file stream. The client's own self-test posts 10 MiB. */
  bodyBytes: 32 * 1024 * 1024,
  /** One line of history, events or console. The client drops longer ones than 10 MiB itself. */
  lineBytes: 16 * 1024 * 1024,
  /** What S3 takes in one PUT. */
  runFileBytes: 5 * 1024 * 1024 * 1024,
  /** One file of an artifact in one piece, or one part of a larger one; what S3 takes. */
  artifactFileBytes: 5 * 1024 * 1024 * 1024,
  /** Aliases, tags of one request. */
  namesPerRequest: 1_000,
  /** Files of one request. */
  filesPerRequest: 10_000,
  /** From announcing a file to the last byte of its upload, 128 files at a time on a slow line. */
  uploadLinkMs: 24 * 3600 * 1000,
  downloadLinkMs: 3600 * 1000,
};
