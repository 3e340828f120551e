import type { Request, RequestHandler } from 'express';
import { DavitError } from '../../domain/errors.js';
import { authenticate, type Actor } from '../auth/authenticate.js';
import { originOf } from '../origin.js';
import type { Context } from './context.js';
import type { WandbDeps } from './deps.js';

const actors = new WeakMap<Request, Actor>();

/** Before the body is read: who has no key cannot make us parse 32 MiB. */
export function requireKey(deps: WandbDeps): RequestHandler {
  return async (req, _res, next) => {
    const actor = await authenticate(deps.db, req.headers.authorization);
    if (!actor)
      throw new DavitError(
        'unauthenticated',
        'This API key is not valid here (or none was sent). `davit env` prints one that is.',
      );
    actors.set(req, actor);
    next();
  };
}

export function contextOf(req: Request, deps: WandbDeps): Context {
  const actor = actors.get(req);
  if (!actor) throw new DavitError('unauthenticated');
  return { ...deps, actor, origin: originOf(req, deps.publicUrl) };
}
