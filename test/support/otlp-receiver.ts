import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  failed: boolean;
  events: { name: string }[];
}

/** What a collector is for whoever sends to it: POST /v1/traces, OTLP over HTTP with JSON. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  let refusing = false;
  let refused = 0;
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      if (refusing) {
        refused++;
        res.writeHead(400).end('{}');
        return;
      }
      if (req.method !== 'POST' || req.url !== '/v1/traces' || req.headers['content-type'] !== 'application/json') {
        res.writeHead(404).end();
        return;
      }
      const text = Buffer.concat(parts).toString();
      bodies.push(text);
      spans.push(...spansIn(JSON.parse(text)));
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** As they came, for what must not be in them. */
    text: (): string => bodies.join('\n'),
    refuse(on: boolean): void {
      refusing = on;
    },
    get refused(): number {
      return refused;
    },
    /** Told twice is told once: a span is what its ids are. */
    ofTrace: (traceId: string): ReceivedSpan[] => [
      ...new Map(spans.filter((span) => span.traceId === traceId).map((span) => [span.spanId, span])).values(),
    ],
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type OtlpReceiver = Awaited<ReturnType<typeof startOtlpReceiver>>;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- looked at field by field
function spansIn(body: any): ReceivedSpan[] {
  const found: ReceivedSpan[] = [];
  for (const { resource, scopeSpans } of body.resourceSpans) {
    const service = valuesOf(resource.attributes)['service.name'] as string;
    for (const { spans } of scopeSpans)
      for (const span of spans)
        found.push({
          service,
          name: span.name,
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId || undefined,
          startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
          endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
          attributes: valuesOf(span.attributes),
          failed: span.status?.code === 2,
          events: span.events ?? [],
        });
  }
  return found;
}

const valuesOf = (attributes: { key: string; value: Record<string, unknown> }[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
