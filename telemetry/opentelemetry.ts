import { hostname } from 'node:os';
import {
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import type { SpanFacts, SpanAttributes, Tracing, TracingOptions } from './tracing.js';
import type { TraceContext } from './trace-context.js';

/** The only file that knows OpenTelemetry; loaded when traces are asked for. Nothing is registered globally. */

/** Ids as we say, where we say one. Starting a span is synchronous, so what is set just before is what it gets. */
class GivenIds extends RandomIdGenerator {
  next: { traceId?: string | undefined; spanId?: string | undefined } = {};
  private readonly random = new RandomIdGenerator();

  override generateTraceId = (): string => this.next.traceId ?? this.random.generateTraceId();
  override generateSpanId = (): string => this.next.spanId ?? this.random.generateSpanId();
}

export async function startOpenTelemetry(
  options: TracingOptions,
  protocol: 'http/protobuf' | 'http/json',
): Promise<Tracing> {
  const { service, version, log } = options;
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  // Otherwise a collector that is away would say nothing at all. Its messages name the endpoint, never the headers.
  let saidAtMs = 0;
  const say = (message: string): void => {
    if (Date.now() - saidAtMs < 60_000) return;
    saidAtMs = Date.now();
    log.warn({ reason: message.slice(0, 300) }, 'traces cannot be sent now');
  };
  const quiet = (): void => undefined;
  diag.setLogger(
    { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );

  const ids = new GivenIds();
  const provider = new BasicTracerProvider({
    idGenerator: ids,
    resource: resourceFromAttributes({
      'service.name': service,
      'service.version': version,
      'service.instance.id': `${hostname()}#${process.pid}`,
      'host.name': hostname(),
    }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('davit', version);

  const start = (span: Pick<SpanFacts, 'name' | 'traceId' | 'spanId' | 'parent' | 'kind'>, startMs: number) => {
    ids.next = { traceId: span.traceId, spanId: span.spanId };
    try {
      const kind = span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL;
      return tracer.startSpan(span.name, { kind, startTime: startMs, root: !span.parent }, contextOf(span.parent));
    } finally {
      ids.next = {};
    }
  };
  // An unfinished span is never sent; it only shows what the sampler decides.
  const samples = (traceId: string): boolean =>
    (start({ name: 'launch', traceId }, Date.now()).spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
  const random = new RandomIdGenerator();

  return {
    record(facts) {
      const span = start(facts, facts.startMs);
      if (!span.isRecording()) return;
      span.setAttributes(attributesOf(facts.attributes));
      for (const { name, atMs, attributes } of facts.events ?? []) span.addEvent(name, attributesOf(attributes), atMs);
      if (facts.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: facts.error });
      span.end(facts.endMs);
    },
    samples,
    newSpanId: () => random.generateSpanId(),
    newTraceId: () => random.generateTraceId(),
    flush: () => provider.forceFlush(),
    close: () => provider.shutdown().catch(quiet),
  };
}

function contextOf(parent: TraceContext | undefined): Context {
  if (!parent) return ROOT_CONTEXT;
  const { traceId, spanId, sampled } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}

const attributesOf = (given: SpanAttributes | undefined): Attributes =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
