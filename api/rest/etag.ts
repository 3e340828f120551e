import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { DavitError } from '../../domain/errors.js';

/** For the document of a route that changes only when `If-Match` names what the client had read (RFC 9110). */
export const ifMatchHeader = {
  'If-Match': { description: 'The ETag that you read: the change is made only if nobody else made one since.' },
};

/** A strong ETag of what can be changed. Keys in order: what the database answers for one row does not vary in it. */
export const etagOf = (changeable: object): string =>
  `"${createHash('sha256').update(JSON.stringify(changeable)).digest('base64url').slice(0, 22)}"`;

/** Throws `changed-meanwhile` when the request wants another state than this one. Call it under the lock that the change is made under. */
export function requireMatch(req: Request, etag: string): void {
  const wanted = req.get('if-match');
  if (wanted === undefined || wanted.trim() === '*') return;
  if (!wanted.split(',').some((one) => one.trim() === etag)) throw new DavitError('changed-meanwhile');
}
