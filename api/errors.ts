import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { STATUS_CODES } from 'node:http';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DavitError, type ErrorCode } from '../domain/errors.js';
import { isStoreUnavailable } from '../store/open.js';
import { requestIdOf } from './request-id.js';

/** RFC 9457 problem details with the catalogue's fields beside the standard ones. */
export const problemSchema = z
  .object({
    type: z.string().describe('Address of the page about this code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened in this case.'),
    instance: z.string().describe('The path that was asked for.'),
    code: z.string().describe('Stable; programs compare this.'),
    fault: z.enum(['user', 'target', 'platform']),
    stage: z.string().optional(),
    fix: z.string().describe('What to do next.'),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  'store-unavailable': 2,
  'temporal-unavailable': 2,
  'rate-limited': 1,
};

export function problemOf(error: DavitError, publicUrl: string, requestId: string, instance: string): Problem {
  const { entry, details } = error;
  return {
    type: `${publicUrl}/docs/errors/${error.code}`,
    title: entry.title,
    status: entry.status,
    detail: error.message,
    instance,
    code: error.code,
    fault: entry.fault,
    ...(details?.stage ? { stage: details.stage } : {}),
    fix: entry.fix,
    requestId,
    ...(details?.errors ? { errors: details.errors } : {}),
    ...details?.extra,
  };
}

/** What was thrown, as an error of the catalogue. Whatever is not foreseen becomes `internal` and keeps its particulars to the log. */
export function toDavitError(thrown: unknown): DavitError {
  if (thrown instanceof DavitError) return thrown;
  if (isStoreUnavailable(thrown)) return new DavitError('store-unavailable', undefined, { cause: thrown });
  if (thrown instanceof Error) {
    // What express and its body parser throw: http-errors with a `type`.
    const { type, status, code } = thrown as { type?: string; status?: number; code?: string };
    if (type === 'entity.too.large') return new DavitError('body-too-large', undefined, { cause: thrown });
    if (type === 'entity.parse.failed') return new DavitError('invalid-json', jsonSentence(thrown), { cause: thrown });
    if (type === 'encoding.unsupported' || type === 'charset.unsupported')
      return new DavitError('unsupported-media-type', thrown.message, { cause: thrown });
    if (type?.startsWith('request.') || type === 'entity.verify.failed' || status === 400)
      return new DavitError('invalid-request', `The request could not be read: ${thrown.message}`, { cause: thrown });
    // Text that PostgreSQL cannot hold: a NUL character, or half of a surrogate pair.
    if (code === '22021' || code === '22P05')
      return new DavitError('invalid-request', 'A text holds a character that cannot be stored (NUL or half a pair).', {
        cause: thrown,
      });
    // The pattern of somebody's filter.
    if (code === '2201B')
      return new DavitError('invalid-request', `A $regex is not a valid pattern: ${thrown.message}.`, {
        cause: thrown,
      });
  }
  return new DavitError('internal', undefined, { cause: thrown });
}

export function sendProblem(res: Response, req: Request, error: DavitError, publicUrl: string): void {
  const requestId = requestIdOf(req);
  const problem = problemOf(error, publicUrl, requestId, req.originalUrl.split('?')[0] ?? '/');
  const retry = retryAfterSeconds[error.code];
  if (retry !== undefined && !res.hasHeader('Retry-After')) res.setHeader('Retry-After', String(retry));
  if (error.code === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer, Basic realm="davit"');
  res
    .status(problem.status)
    .setHeader('Content-Type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

/** The one place where errors become answers. */
export function errorHandler(deps: { log: Logger; publicUrl: string }): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    const error = toDavitError(thrown);
    const log = deps.log.child({ requestId: requestIdOf(req) });
    if (error.code === 'internal') log.error({ err: error.cause ?? error }, 'request failed');
    else if (error.entry.status >= 500) log.warn({ code: error.code, err: error.cause }, error.message);
    if (res.headersSent || res.writableEnded) {
      // An answer that has begun cannot become a problem; cutting it tells the reader that it is not whole.
      res.destroy();
      return;
    }
    sendProblem(res, req, error, deps.publicUrl);
  };
}

export const notFoundHandler: RequestHandler = (req, _res, next) => {
  next(new DavitError('not-found', `There is nothing at ${req.method} ${req.path}.`));
};

/** The issues of a schema, each with the path of its field; unknown keys are named one by one. */
/** A path that cannot be one leads nowhere: not-found. */
export function validationError(error: z.ZodError, where: 'body' | 'query' | 'path'): DavitError {
  const errors = error.issues.flatMap((issue) => issuesOf(issue, where === 'body' ? [] : [where]));
  const first = errors[0];
  const sentence = first ? `${first.path || where}: ${first.message}` : 'The request does not fit its schema.';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const priorityOnly = errors.length > 0 && errors.every(({ path }) => /(^|\.)priority$/.test(path));
  const code = where === 'path' ? 'not-found' : priorityOnly ? 'invalid-priority' : 'invalid-request';
  return new DavitError(code, sentence + more, { errors });
}

function issuesOf(issue: z.core.$ZodIssue, prefix: PropertyKey[]): { path: string; message: string }[] {
  const path = [...prefix, ...issue.path].map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, 20).map((key) => ({ path: [...path, key].join('.'), message: 'is not known here' }));
  return [{ path: path.join('.'), message: issue.message }];
}

/** The parser's own words quote the body, which may hold a secret: only the place is kept. */
function jsonSentence(error: Error): string {
  const place = /position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0];
  return place ? `The body is not valid JSON (at ${place}).` : 'The body is not valid JSON.';
}

export const statusText = (status: number): string => STATUS_CODES[status] ?? String(status);
