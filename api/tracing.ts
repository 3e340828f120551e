import type { Request, RequestHandler } from 'express';
import {
  formatTraceparent,
  parseTraceparent,
  spanIdOf,
  traceIdOf,
  traceOfLaunch,
  type TraceContext,
} from '../telemetry/trace-context.js';
import type { Tracing } from '../telemetry/tracing.js';
import { routeOf } from './metrics/requests.js';
import { requestIdOf } from './request-id.js';

/** Where requests stand in traces, and what launches inherit from them. */

interface RequestSpan {
  parent: TraceContext | undefined;
  own: TraceContext;
  launchId: string | undefined;
}
const spans = new WeakMap<Request, RequestSpan>();

/** A span for each request of a person or a program; not for what agents and clients of runs send many times a second. */
export function requestTraces(tracing: Tracing): RequestHandler {
  return (req, res, next) => {
    if (isRoutine(req.path)) return next();
    const parent = parseTraceparent(req.get('traceparent'));
    const traceId = parent?.traceId ?? tracing.newTraceId();
    const sampled = parent?.sampled ?? tracing.samples(traceId);
    const span: RequestSpan = { parent, own: { traceId, spanId: tracing.newSpanId(), sampled }, launchId: undefined };
    spans.set(req, span);
    const startMs = Date.now();
    res.once('close', () => {
      const route = routeOf(req);
      tracing.record({
        name: `${req.method} ${route}`,
        kind: 'server',
        traceId: span.own.traceId,
        spanId: span.own.spanId,
        parent: span.parent,
        startMs,
        endMs: Date.now(),
        attributes: {
          'http.request.method': req.method,
          'http.route': route,
          'http.response.status_code': res.statusCode,
          'davit.request.id': requestIdOf(req),
          'davit.launch.id': span.launchId,
        },
        error: res.statusCode >= 500 ? String(res.statusCode) : res.writableFinished ? undefined : 'cut',
      });
    });
    next();
  };
}

const isRoutine = (path: string): boolean =>
  ['/healthz', '/readyz', '/metrics', '/graphql'].includes(path) ||
  ['/sdk/', '/files/', '/api/v1/agents/'].some((prefix) => path.startsWith(prefix));

/** What is stored with a launch that this request makes: the trace that its sender is in, if it said so. */
export function traceparentOf(req: Request): string | undefined {
  const span = spans.get(req);
  const context = span ? span.parent && span.own : parseTraceparent(req.get('traceparent'));
  return context && formatTraceparent(context);
}

/** The request made this launch. Sent outside of any trace, it becomes a part of the launch's own. */
export function tracesLaunch(req: Request, launchId: string, tracing: Tracing | undefined): void {
  const span = spans.get(req);
  if (!span || !tracing) return;
  span.launchId = launchId;
  if (span.parent) return;
  const traceId = traceIdOf(launchId);
  span.parent = { traceId, spanId: spanIdOf(launchId, 'launch'), sampled: tracing.samples(traceId) };
  span.own = { ...span.own, traceId };
}

/** TRACEPARENT for the job: below its run when we send traces, else what came with the launch; undefined: neither. */
export function jobTraceparent(
  launch: { id: string; epoch: number; traceparent: string | undefined },
  tracing: Tracing | undefined,
): string | undefined {
  const { traceId, parent } = traceOfLaunch(launch.id, launch.traceparent);
  if (!tracing) return parent && formatTraceparent(parent);
  const sampled = parent?.sampled ?? tracing.samples(traceId);
  return formatTraceparent({ traceId, spanId: spanIdOf(launch.id, `run/${launch.epoch}`), sampled });
}
