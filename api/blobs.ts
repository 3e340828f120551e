import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type Response } from 'express';
import { DavitError } from '../domain/errors.js';
import { servedMediaType } from '../domain/media-type.js';
import { contentDisposition } from '../store/blobs/content-disposition.js';
import { noteArtifactBlobStored, refuseAbandonedUpload } from '../store/artifact-uploads.js';
import type { BlobDigest, Blobs, PutOptions } from '../store/blobs/blobs.js';
import { linkSecret, linkSigner, type BlobLink, type LinkSigner } from '../store/blobs/signed-url.js';
import type { Store } from '../store/open.js';
import { noteRunFileStored } from '../store/run-files.js';

export interface BlobRouterDeps {
  db: Store;
  /** A folder; storage with addresses of its own never sends anybody here. */
  blobs: Blobs;
}

/** The addresses that a folder of blobs hands out. No key is asked for: the address is the permission. Mount before authentication. */
export function blobRouter(deps: BlobRouterDeps): express.Router {
  const signer = signerOf(deps.db);
  const router = express.Router();

  router.use('/blobs', (_req, res, next) => {
    // The permission is in the address, not in a cookie, so any page may use one it was given.
    res.setHeader('Access-Control-Allow-Origin', '*');
    res.setHeader('Cache-Control', 'private, no-store');
    next();
  });
  router.options('/blobs/*key', (_req, res) => {
    res.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, PUT');
    res.setHeader('Access-Control-Allow-Headers', 'Content-Type, Content-MD5, Range');
    res.status(204).end();
  });

  router.put('/blobs/*key', async (req, res) => {
    const link = permission(await signer(), req, 'put');
    const maxBytes = link.maxBytes ?? 0;
    await refuseAbandonedUpload(deps.db, link.key);
    const body = bodyOf(req, res, maxBytes);
    const options = { maxBytes, md5Base64: link.md5Base64 ?? announcedMd5(req) };
    const digest = await stored(deps, link, body, options);
    res.setHeader('ETag', `"${Buffer.from(digest.md5Base64, 'base64').toString('hex')}"`);
    res.status(200).json({});
  });

  // GET and HEAD.
  router.get('/blobs/*key', async (req, res) => {
    const link = permission(await signer(), req, 'get');
    const found = await deps.blobs.stat(link.key);
    if (!found)
      throw new DavitError('not-found', 'There is no file at this address: it was never uploaded, or it was removed.');
    res.setHeader('Accept-Ranges', 'bytes');
    res.setHeader('Content-Type', servedMediaType(link.fileName ?? ''));
    // What people upload must never run as a page of ours.
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
    res.setHeader('Content-Disposition', contentDisposition(link.fileName ?? link.key));

    const range = rangeOf(req.headers.range, found.size);
    if (range === 'unsatisfiable') {
      res.setHeader('Content-Range', `bytes */${found.size}`);
      res.status(416).end();
      return;
    }
    if (range) {
      res.status(206).setHeader('Content-Range', `bytes ${range.start}-${range.end}/${found.size}`);
      res.setHeader('Content-Length', range.end - range.start + 1);
    } else res.setHeader('Content-Length', found.size);
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    const source = await deps.blobs.open(link.key, range ?? {});
    await pipeline(source, res).catch((error: unknown) => {
      // The reader went away, or the disk failed in the middle: the answer is cut, which the length shows.
      res.destroy();
      if (!res.headersSent) throw error;
    });
  });
  return router;
}

/** Failing here fails the upload, and the client sends it again. */
async function stored(deps: BlobRouterDeps, link: BlobLink, body: Readable, options: PutOptions): Promise<BlobDigest> {
  const { db, blobs } = deps;
  if (link.part) {
    if (!blobs.putPart) throw new DavitError('link-invalid');
    const { uploadId, number: partNumber } = link.part;
    return blobs.putPart({ key: link.key, uploadId, partNumber }, body, options);
  }
  const digest = await blobs.put(link.key, body, options);
  await noteRunFileStored(db, link.key, digest);
  await noteArtifactBlobStored(deps, link.key, digest.size);
  return digest;
}

/** What the client says itself that it sends. */
function announcedMd5(req: Request): string | undefined {
  const header = req.headers['content-md5'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[A-Za-z0-9+/]{22}==$/.test(header))
    throw new DavitError('digest-mismatch', 'Content-MD5 is not the base64 of an MD5.');
  return header;
}

/** Read when first needed, and again when that failed: the database may be away for a moment. */
function signerOf(db: Store): () => Promise<LinkSigner> {
  let signer: Promise<LinkSigner> | undefined;
  return () =>
    (signer ??= linkSecret(db)
      .then(linkSigner)
      .catch((error: unknown) => {
        signer = undefined;
        throw error;
      }));
}

function permission(signer: LinkSigner, req: Request, op: BlobLink['op']): BlobLink {
  const parts = (req.params as { key?: string | string[] }).key ?? [];
  const key = Array.isArray(parts) ? parts.join('/') : parts;
  const link = signer.verify(key, req.query, Date.now());
  if (link === 'expired') throw new DavitError('link-invalid', 'This address has expired.');
  if (link === 'wrong' || link.op !== op) throw new DavitError('link-invalid');
  return link;
}

/**
 * The body behind a stream of its own: storing that fails destroys what it reads, and destroying the request would cut the connection
 * before the client could read why.
 */
function bodyOf(req: Request, res: Response, maxBytes: number): Readable {
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    res.setHeader('Connection', 'close');
    throw new DavitError('body-too-large', `The file has ${announced} bytes; ${maxBytes} are accepted here.`);
  }
  const cut = new DavitError('invalid-request', 'The upload was cut before its end.');
  // While the database was asked: no event would tell of it any more.
  if (req.destroyed) throw cut;
  const body = new PassThrough();
  // Cut before anybody reads it; whoever reads it later finds the error.
  body.on('error', () => undefined);
  req.pipe(body);
  body.once('close', () => {
    // Whatever still comes is thrown away.
    req.unpipe(body);
    req.resume();
  });
  req.once('close', () => {
    if (!req.complete) body.destroy(cut);
  });
  req.once('error', (error) => body.destroy(error));
  return body;
}

/** One range of bytes. Several at once, or nonsense, means the whole: a server may ignore the header. */
function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const last = Math.min(Number(to), size);
    return last === 0 ? 'unsatisfiable' : { start: size - last, end: size - 1 };
  }
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size) return 'unsatisfiable';
  return end < start ? undefined : { start, end };
}
