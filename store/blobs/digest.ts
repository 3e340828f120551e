import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { DavitError } from '../../domain/errors.js';
import type { BlobDigest } from './blobs.js';

/** Passes bytes on while it counts and digests them; refuses the byte beyond the limit. */
export class DigestStream extends Transform {
  readonly #md5 = createHash('md5');
  readonly #sha256 = createHash('sha256');
  #size = 0;

  constructor(private readonly maxBytes: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length;
    if (this.#size > this.maxBytes) {
      done(
        new DavitError('body-too-large', `The file is larger than the ${this.maxBytes} bytes that are accepted here.`),
      );
      return;
    }
    this.#md5.update(chunk);
    this.#sha256.update(chunk);
    done(null, chunk);
  }

  /** Once, after the end. */
  digest(): BlobDigest {
    return { size: this.#size, md5Base64: this.#md5.digest('base64'), sha256Hex: this.#sha256.digest('hex') };
  }
}

/** Throws `digest-mismatch`. Undefined: nothing was announced. */
export function checkDigest(found: BlobDigest, md5Base64: string | undefined): void {
  if (md5Base64 !== undefined && found.md5Base64 !== md5Base64)
    throw new DavitError(
      'digest-mismatch',
      `The bytes that came have the MD5 ${found.md5Base64}; ${md5Base64.slice(0, 40)} was announced. Nothing was stored.`,
    );
}
