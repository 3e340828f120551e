import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';

const ids = new WeakMap<Request, string>();

/** A caller's own id is taken when it is short and plain, so that it can be looked up in logs without harm. */
const sane = /^[A-Za-z0-9_.:-]{1,128}$/;

export const requestId: RequestHandler = (req, res, next) => {
  const given = req.get('x-request-id');
  const id = given !== undefined && sane.test(given) ? given : randomUUID();
  ids.set(req, id);
  res.setHeader('X-Request-Id', id);
  next();
};

export const requestIdOf = (req: Request): string => ids.get(req) ?? '-';
