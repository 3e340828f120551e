import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Actor } from '../auth/authenticate.js';
import type { ApiDeps } from '../deps.js';

/**
 * One REST route: what it takes, what it answers and what it does, in one place. From these come the server (mount.ts), the OpenAPI document
 * (openapi.ts) and the generated client, so that the three cannot differ.
 */

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Which kinds of key a route takes. `any`: every kind, a job's own key included. */
export type RouteAuth = 'user' | 'agent' | 'any' | 'none';

type Schema = z.ZodType;

export interface RouteContext<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Who asks. On a route with auth `none` there is nobody: reading it throws. */
  actor: Actor;
  deps: ApiDeps;
  req: Request;
  res: Response;
  requestId: string;
}

export interface RouteDefinition<P extends Schema, Q extends Schema, B extends Schema, R extends Schema> {
  method: Method;
  /** Below /api/v1, with `{name}` for parameters. */
  path: string;
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  auth: RouteAuth;
  params?: P;
  query?: Q;
  /** A JSON body. */
  body?: B;
  /** A body that the handler reads from `req` itself. */
  rawBody?: { contentType: string; description: string };
  /** Default: the API's limit for JSON bodies. */
  bodyLimitBytes?: number;
  /** A JSON answer. */
  response?: R;
  /** Content types of an answer that the handler writes to `res` itself. */
  streams?: string[];
  /** Default: 200, or 204 without a response. A handler may choose one of `otherStatus` with `res.status()`. */
  status?: number;
  otherStatus?: number[];
  /** Request headers that the handler reads, for the document. */
  headers?: Record<string, { description: string; required?: boolean }>;
  handler: (context: RouteContext<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.input<R>> | z.input<R>;
}

/** A route with its types forgotten: what mount.ts and openapi.ts work on. */
export interface Route extends Omit<RouteDefinition<Schema, Schema, Schema, Schema>, 'handler'> {
  handle(context: RouteContext<unknown, unknown, unknown>): Promise<unknown>;
}

export function defineRoute<
  P extends Schema = z.ZodUndefined,
  Q extends Schema = z.ZodUndefined,
  B extends Schema = z.ZodUndefined,
  R extends Schema = z.ZodVoid,
>(definition: RouteDefinition<P, Q, B, R>): Route {
  const { handler, ...rest } = definition;
  return {
    ...rest,
    // Sound because mount.ts calls it with nothing but the output of these very schemas.
    handle: async (context) => handler(context as RouteContext<z.output<P>, z.output<Q>, z.output<B>>),
  };
}

export const successStatus = (route: Pick<Route, 'status' | 'response' | 'streams'>): number =>
  route.status ?? (route.response || route.streams ? 200 : 204);
