import type { Request, RequestHandler } from 'express';
import { DavitError } from '../../domain/errors.js';
import { authenticate, type Actor } from '../auth/authenticate.js';
import { originOf } from '../origin.js';
import type { Context, RequestFacts } from './context.js';
import type { WandbDeps } from './deps.js';

const actors = new WeakMap<Request, Actor>();
const arrivals = new WeakMap<Request, number>();

/** Before the body is read: who has no key cannot make us parse 32 MiB. */
export function requireKey(deps: WandbDeps): RequestHandler {
  return async (req, _res, next) => {
    arrivals.set(req, performance.now());
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
  return { ...deps, actor, origin: originOf(req, deps.publicUrl), request: factsOf(req) };
}

function factsOf(req: Request): RequestFacts {
  const arrivedMs = arrivals.get(req) ?? performance.now();
  const header = (name: string) => req.get(name) || undefined;
  // GraphQL and the file stream name the same thing differently.
  const shared = header('x-wandb-use-async-filestream') === 'true';
  const writer = shared ? (header('x-wandb-client-id') ?? header('x-wandb-async-client-id')) : undefined;
  const username = header('x-wandb-username');
  return {
    ageMs: () => performance.now() - arrivedMs,
    isAbandoned: () => req.socket.destroyed || req.socket.readableEnded,
    ...(writer === undefined ? {} : { writer: writer.slice(0, 128) }),
    ...(username === undefined ? {} : { username }),
  };
}
