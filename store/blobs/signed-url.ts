import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Store } from '../open.js';
import { isBlobKey } from './blobs.js';
import { isPartNumber, isUploadId } from './folder-parts.js';

/** What an address of a blob permits. */
export interface BlobLink {
  op: 'get' | 'put';
  key: string;
  expiresAtMs: number;
  /** put: the most bytes that are accepted. */
  maxBytes?: number;
  contentType?: string;
  /** put: what the bytes must have. */
  md5Base64?: string;
  /** put: a part of an upload in parts. */
  part?: { uploadId: string; number: number };
  /** get: the name to save it under. */
  fileName?: string;
}

export interface LinkSigner {
  /** Path and query, to be put behind an origin. */
  path(link: BlobLink): string;
  /** The permission in an address, or why there is none. */
  verify(key: string, query: Record<string, unknown>, nowMs: number): BlobLink | 'wrong' | 'expired';
}

/**
 * Addresses that carry their own permission: HMAC-SHA256 over everything they permit. Nothing in them is secret but the signature, and
 * changing anything breaks it.
 */
export function linkSigner(secret: Buffer): LinkSigner {
  const sign = (link: BlobLink): Buffer =>
    createHmac('sha256', secret)
      .update(
        // A list, so that no value can pass for a part of its neighbour.
        JSON.stringify([
          link.op,
          link.key,
          link.expiresAtMs,
          link.maxBytes ?? null,
          link.contentType ?? null,
          link.fileName ?? null,
          link.md5Base64 ?? null,
          link.part ? [link.part.uploadId, link.part.number] : null,
        ]),
      )
      .digest();

  return {
    path(link) {
      const query = new URLSearchParams({ op: link.op, expires: String(link.expiresAtMs) });
      if (link.maxBytes !== undefined) query.set('max', String(link.maxBytes));
      if (link.contentType !== undefined) query.set('type', link.contentType);
      if (link.fileName !== undefined) query.set('name', link.fileName);
      if (link.md5Base64 !== undefined) query.set('md5', link.md5Base64);
      if (link.part) {
        query.set('upload', link.part.uploadId);
        query.set('part', String(link.part.number));
      }
      query.set('sig', sign(link).toString('base64url'));
      return `/blobs/${link.key}?${query.toString()}`;
    },

    verify(key, query, nowMs) {
      const link = readLink(key, query);
      if (!link) return 'wrong';
      const given = Buffer.from(String(query['sig']), 'base64url');
      const right = sign(link);
      if (given.length !== right.length || !timingSafeEqual(given, right)) return 'wrong';
      return link.expiresAtMs <= nowMs ? 'expired' : link;
    },
  };
}

function readLink(key: string, query: Record<string, unknown>): BlobLink | undefined {
  const { op, expires, max, type, name, md5, upload, part, sig } = query;
  // A parameter that is given twice comes as a list: nothing that we signed.
  for (const value of [op, expires, max, type, name, md5, upload, part, sig])
    if (value !== undefined && typeof value !== 'string') return undefined;
  if ((op !== 'get' && op !== 'put') || !isBlobKey(key) || typeof sig !== 'string') return undefined;
  const expiresAtMs = Number(expires);
  const maxBytes = max === undefined ? undefined : Number(max);
  if (!Number.isSafeInteger(expiresAtMs) || (maxBytes !== undefined && !Number.isSafeInteger(maxBytes)))
    return undefined;
  const partNumber = Number(part);
  if (part !== undefined && (typeof upload !== 'string' || !isUploadId(upload) || !isPartNumber(partNumber)))
    return undefined;
  return {
    op,
    key,
    expiresAtMs,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(typeof type === 'string' ? { contentType: type } : {}),
    ...(typeof name === 'string' ? { fileName: name } : {}),
    ...(typeof md5 === 'string' ? { md5Base64: md5 } : {}),
    ...(part !== undefined && typeof upload === 'string' ? { part: { uploadId: upload, number: partNumber } } : {}),
  };
}

const secretSetting = 'blob-link-secret';

/** The secret shared by all API processes of one database, made by whoever comes first. */
export async function linkSecret(db: Store): Promise<Buffer> {
  await db
    .insertInto('setting')
    .values({ key: secretSetting, value: randomBytes(32).toString('base64') })
    .onConflict((c) => c.column('key').doNothing())
    .execute();
  const row = await db.selectFrom('setting').select('value').where('key', '=', secretSetting).executeTakeFirstOrThrow();
  return Buffer.from(row.value, 'base64');
}
