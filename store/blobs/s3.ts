import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { DavitError } from '../../domain/errors.js';
import { checkKey, type Blobs, type BlobStat } from './blobs.js';
import { contentDisposition } from './content-disposition.js';
import { checkDigest, DigestStream } from './digest.js';

export interface S3BlobsOptions {
  bucket: string;
  /** Put before every key, for a bucket that is shared. */
  prefix?: string;
  region: string;
  /** Of an S3-compatible server; undefined = AWS. */
  endpoint?: string;
  /** Address by which clients reach the same server, when it is another. */
  publicEndpoint?: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`; most S3-compatible servers need it. */
  forcePathStyle?: boolean;
  /** Undefined = as the AWS SDK finds them. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

const nothing = () => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Signed as a header, S3 itself refuses other bytes; as a part of the address it would be no header at all. */
const md5Header = { unhoistableHeaders: new Set(['content-md5']) };
const signedMd5 = (md5Base64: string | undefined) => (md5Base64 === undefined ? {} : { ContentMD5: md5Base64 });

/** S3 signs for a week at most. */
const longestLinkMs = 7 * 24 * 3600 * 1000;

export function s3Blobs(options: S3BlobsOptions): Blobs {
  const config: S3ClientConfig = {
    region: options.region,
    forcePathStyle: options.forcePathStyle ?? false,
    // Checksums beyond what an operation demands are unknown to many S3-compatible servers, and in a signed PUT would be those of an empty body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Without one it writes to the console; what goes wrong is thrown and logged by whoever asked.
    logger: silent,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const client = new S3Client(config);
  const signing =
    options.publicEndpoint === undefined ? client : new S3Client({ ...config, endpoint: options.publicEndpoint });
  const at = (key: string) => ({ Bucket: options.bucket, Key: `${options.prefix ?? ''}${checkKey(key)}` });
  const seconds = (ms: number) => ({ expiresIn: Math.max(1, Math.floor(Math.min(ms, longestLinkMs) / 1000)) });

  const statOf = async (key: string): Promise<BlobStat | undefined> => {
    try {
      const found = await client.send(new HeadObjectCommand(at(key)));
      const md5Base64 = found.ServerSideEncryption?.startsWith('aws:kms') ? undefined : md5Of(found.ETag);
      return { size: found.ContentLength ?? 0, ...(md5Base64 === undefined ? {} : { md5Base64 }) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageError(error, key);
    }
  };

  /** Not every S3-compatible server says so when it is asked to complete one. */
  const isUploadGone = (key: string, uploadId: string): Promise<boolean> =>
    client.send(new ListPartsCommand({ ...at(key), UploadId: uploadId, MaxParts: 1 })).then(
      () => false,
      (error: unknown) => error instanceof Error && error.name === 'NoSuchUpload',
    );

  return {
    tellsUploads: false,

    async put(key, source, { maxBytes, md5Base64 }) {
      // S3 wants the length before the first byte, so the bytes wait in a file; their digests are known by the way.
      const folder = await mkdtemp(join(tmpdir(), 'davit-upload-'));
      try {
        const path = join(folder, 'body');
        const digest = new DigestStream(maxBytes);
        await pipeline(source, digest, createWriteStream(path, { mode: 0o600 }));
        const found = digest.digest();
        checkDigest(found, md5Base64);
        await client.send(
          new PutObjectCommand({
            ...at(key),
            Body: createReadStream(path),
            ContentLength: found.size,
            ContentMD5: found.md5Base64,
          }),
        );
        return found;
      } catch (error) {
        throw storageError(error, key);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },

    async open(key, { start, end } = {}) {
      const range = start === undefined && end === undefined ? {} : { Range: `bytes=${start ?? 0}-${end ?? ''}` };
      try {
        const found = await client.send(new GetObjectCommand({ ...at(key), ...range }));
        if (!(found.Body instanceof Readable))
          throw new DavitError('storage-unavailable', 'The storage gave no bytes.');
        return found.Body;
      } catch (error) {
        throw storageError(error, key);
      }
    },

    async stat(key) {
      return statOf(key);
    },

    async remove(key) {
      await client.send(new DeleteObjectCommand(at(key))).catch((error: unknown) => {
        if (!isMissing(error)) throw storageError(error, key);
      });
    },

    async uploadUrl(key, { expiresInMs, md5Base64 }) {
      // The content type is left open: the wandb client sends none, and one that is signed would have to be sent.
      return getSignedUrl(signing, new PutObjectCommand({ ...at(key), ...signedMd5(md5Base64) }), {
        ...seconds(expiresInMs),
        ...md5Header,
      });
    },

    async downloadUrl(key, { expiresInMs, fileName }) {
      const disposition = fileName === undefined ? {} : { ResponseContentDisposition: contentDisposition(fileName) };
      return getSignedUrl(signing, new GetObjectCommand({ ...at(key), ...disposition }), seconds(expiresInMs));
    },

    async beginParts(key) {
      try {
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(at(key)));
        if (UploadId === undefined) throw new DavitError('storage-unavailable', 'The storage began no upload.');
        return UploadId;
      } catch (error) {
        throw storageError(error, key);
      }
    },

    async partUrl({ key, uploadId, partNumber }, { expiresInMs, md5Base64 }) {
      const part = { ...at(key), UploadId: uploadId, PartNumber: partNumber, ...signedMd5(md5Base64) };
      return getSignedUrl(signing, new UploadPartCommand(part), { ...seconds(expiresInMs), ...md5Header });
    },

    async completeParts(key, uploadId, parts) {
      const Parts = [...parts]
        .sort((a, b) => a.partNumber - b.partNumber)
        .map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
      try {
        await client.send(
          new CompleteMultipartUploadCommand({ ...at(key), UploadId: uploadId, MultipartUpload: { Parts } }),
        );
      } catch (error) {
        const name = (await isUploadGone(key, uploadId)) ? 'NoSuchUpload' : error instanceof Error ? error.name : '';
        // Done by an earlier attempt whose answer was lost, or never begun.
        if (name === 'NoSuchUpload') {
          const done = await statOf(key);
          if (done) return done;
        }
        if (['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'].includes(name))
          throw new DavitError('artifact-incomplete', `The storage does not have all parts of the file (${name}).`);
        throw storageError(error, key);
      }
      return (await statOf(key)) ?? { size: 0 };
    },

    async abortParts(key, uploadId) {
      await client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId: uploadId })).catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'NoSuchUpload') && !isMissing(error))
          throw storageError(error, key);
      });
    },
  };
}

/** An ETag is the MD5 of what came in one piece; of parts, and under some encryptions, it is something else. */
function md5Of(etag: string | undefined): string | undefined {
  const hex = /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex').toString('base64');
}

const isMissing = (error: unknown): boolean => error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name);

function storageError(error: unknown, key: string): unknown {
  if (error instanceof DavitError) return error;
  if (isMissing(error)) return new DavitError('not-found', `There is no stored file "${key}".`);
  // Whatever else S3 says (no connection, slow down, access denied after a rotation) is ours to mend, and may be over in a moment.
  return new DavitError('storage-unavailable', undefined, { cause: error });
}
