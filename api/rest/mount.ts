import express, { Router, type Request, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { authenticate, type Actor } from '../auth/authenticate.js';
import { createRateLimit } from '../auth/rate-limit.js';
import type { ApiDeps } from '../deps.js';
import { validationError } from '../errors.js';
import { requestIdOf } from '../request-id.js';
import { successStatus, type Route, type RouteAuth } from './route.js';

/** The routes as an Express router, to be mounted at /api/v1. */
export function mountRoutes(routes: readonly Route[], deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true });
  const rateLimit = createRateLimit(deps.limits.requestsPerSecond);
  const methodsOf = new Map<string, string[]>();
  for (const route of routes) {
    const path = expressPath(route.path);
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), route.method.toUpperCase()]);
    router[route.method](path, async (req, res) => {
      // The key comes before the body: nobody unknown makes this process read megabytes.
      const actor = await authenticated(route.auth, deps, req);
      if (actor) rateLimit(actor.keyId, res);
      if (route.body) await readJson(route, deps, req, res);
      else if (route.rawBody) requireContentType(req, route.rawBody.contentType);
      // Before the handler, so that it can choose another.
      res.status(successStatus(route));
      const result = await route.handle({
        params: parse(route.params, req.params, 'path'),
        query: parse(route.query, req.query, 'query'),
        body: parse(route.body, req.body ?? {}, 'body'),
        get actor() {
          if (!actor) throw new Error(`${route.operationId} has no actor`);
          return actor;
        },
        deps,
        req,
        res,
        requestId: requestIdOf(req),
      });
      answer(route, res, result);
    });
  }
  for (const [path, methods] of methodsOf)
    router.all(path, (req, res) => {
      res.setHeader('Allow', methods.join(', '));
      throw new DavitError('method-not-allowed', `${req.method} is not known here; ${methods.join(', ')} are.`);
    });
  return router;
}

export const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

async function authenticated(auth: RouteAuth, deps: ApiDeps, req: Request): Promise<Actor | undefined> {
  if (auth === 'none') return undefined;
  const actor = await authenticate(deps.db, req.get('authorization'));
  if (!actor) throw new DavitError('unauthenticated');
  if (auth !== 'any' && actor.kind !== auth)
    throw new DavitError('forbidden', `This is for ${auth} keys; this is a key of kind ${actor.kind}.`);
  return actor;
}

const parsers = new Map<number, RequestHandler>();
async function readJson(route: Route, deps: ApiDeps, req: Request, res: Response): Promise<void> {
  const limit = route.bodyLimitBytes ?? deps.limits.jsonBodyBytes;
  const type = contentTypeOf(req);
  // Without a body there is no type either; then the schema says what is missing.
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json'))
    throw new DavitError('unsupported-media-type', `The body has the type ${type}; this takes application/json.`);
  let parser = parsers.get(limit);
  if (!parser) parsers.set(limit, (parser = express.json({ limit, type: () => true, strict: false })));
  const run = parser;
  await new Promise<void>((resolve, reject) => {
    void run(req, res, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('the body parser failed'));
    });
  });
}

function requireContentType(req: Request, wanted: string): void {
  const type = contentTypeOf(req);
  if (type !== wanted)
    throw new DavitError(
      'unsupported-media-type',
      type === undefined
        ? `This takes a body of type ${wanted}.`
        : `The body has the type ${type}; this takes ${wanted}.`,
    );
}

const contentTypeOf = (req: Request): string | undefined =>
  req.get('content-type')?.split(';')[0]?.trim().toLowerCase();

function parse(schema: z.ZodType | undefined, value: unknown, where: 'body' | 'query' | 'path'): unknown {
  if (!schema) {
    if (where === 'query' && Object.keys(value as object).length > 0)
      throw new DavitError('invalid-request', 'This takes no query parameters.', {
        errors: Object.keys(value as object).map((key) => ({ path: `query.${key}`, message: 'is not known here' })),
      });
    return undefined;
  }
  const unstorable = findUnstorable(value, where === 'body' ? [] : [where]);
  if (unstorable)
    throw new DavitError(where === 'path' ? 'not-found' : 'invalid-request', `${unstorable}: ${unstorableSentence}`, {
      errors: [{ path: unstorable, message: unstorableSentence }],
    });
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // A path that cannot name anything names nothing.
  throw validationError(result.error, where);
}

const unstorableSentence = 'has a character that cannot be stored (NUL, or half of a surrogate pair)';
const unstorablePattern = /\u0000|\p{Surrogate}/u; // eslint-disable-line no-control-regex -- NUL is what it looks for

/** Where the first text is that PostgreSQL could not hold, keys included. */
function findUnstorable(value: unknown, path: readonly string[]): string | undefined {
  if (typeof value === 'string') return unstorablePattern.test(value) ? path.join('.') || 'body' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (unstorablePattern.test(key)) return path.join('.') || 'body';
    const found = findUnstorable(inner, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function answer(route: Route, res: Response, result: unknown): void {
  if (route.streams && (res.headersSent || result === undefined)) return;
  if (!route.response) {
    res.end();
    return;
  }
  res.json(result);
}
