import type { Logger } from 'pino';
import type { TraceContext } from './trace-context.js';

/** What a span carries. Only what may be seen by whoever reads traces: names, ids, numbers; no values of variables, no messages of jobs. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanFacts {
  name: string;
  traceId: string;
  /** Default: a new one. */
  spanId?: string | undefined;
  /** Undefined: the first of its trace. */
  parent?: TraceContext | undefined;
  kind?: 'internal' | 'server' | undefined;
  startMs: number;
  endMs: number;
  attributes: SpanAttributes;
  /** Present: it failed, and this says how (a code, not a message). */
  error?: string | undefined;
  events?: readonly { name: string; atMs: number; attributes?: SpanAttributes }[] | undefined;
}

export interface Tracing {
  /** A span that is over. Never waits, never throws. */
  record(span: SpanFacts): void;
  /** Would the sampler (OTEL_TRACES_SAMPLER) keep a trace of this id that begins here? */
  samples(traceId: string): boolean;
  newSpanId(): string;
  newTraceId(): string;
  /** Resolves when everything recorded so far is with the collector; rejects when that did not work. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface TracingOptions {
  /** service.name, unless OTEL_SERVICE_NAME says another. */
  service: string;
  version: string;
  env: Readonly<Record<string, string | undefined>>;
  log: Logger;
}

/**
 * Tracing, if the standard variables ask for it: OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT. Otherwise nothing is
 * loaded and nothing is paid. The other OTEL_ variables (headers, sampler, resource, batch sizes) are read by OpenTelemetry itself.
 */
export async function openTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { env, log } = options;
  const given = (name: string): string | undefined => env[name]?.trim() || undefined;
  const endpoint = given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? given('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === undefined || given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const exporter = given('OTEL_TRACES_EXPORTER') ?? 'otlp';
  if (exporter !== 'otlp') {
    if (exporter !== 'none')
      log.warn({ exporter }, 'OTEL_TRACES_EXPORTER: only otlp is known here; no traces are sent');
    return undefined;
  }
  const protocol =
    given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? given('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
  if (protocol !== 'http/protobuf' && protocol !== 'http/json') {
    log.warn(
      { protocol },
      'OTEL_EXPORTER_OTLP_PROTOCOL: traces go by http/protobuf or http/json (collectors take them on port 4318); no traces are sent',
    );
    return undefined;
  }
  const { startOpenTelemetry } = await import('./opentelemetry.js');
  log.info({ endpoint: withoutPassword(endpoint), protocol }, 'sends traces');
  return startOpenTelemetry(options, protocol);
}

function withoutPassword(endpoint: string): string {
  if (!URL.canParse(endpoint)) return '(not an address)';
  const url = new URL(endpoint);
  url.username = url.password = url.search = '';
  return url.toString();
}
