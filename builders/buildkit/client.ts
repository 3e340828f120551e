import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { Client, credentials, Metadata, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { services, type BuildStatus } from './protocol.js';
import type { Session } from './session.js';

export interface BuildkitAddress {
  /** `unix:///run/buildkit/buildkitd.sock` or `tcp://host:1234`. */
  url: string;
  /** With `ca.pem`, `cert.pem` and `key.pem`. Without it, nobody knows who answers. */
  tlsFolder?: string | undefined;
}

export interface SolveRequest {
  Ref: string;
  Exporter: string;
  ExporterAttrs: Record<string, string>;
  Session: string;
  Frontend: string;
  FrontendAttrs: Record<string, string>;
  Cache: { Imports: CacheEntry[]; Exports: CacheEntry[] };
}
interface CacheEntry {
  Type: string;
  Attrs: Record<string, string>;
}

interface Bytes {
  data: Buffer;
}

/** A status of a build with large output is larger than gRPC's own limit. */
const maxMessageBytes = 64 * 1024 * 1024;

/** The few calls of BuildKit's control service that a build takes. */
export class BuildkitClient {
  private readonly client: Client;

  constructor({ url, tlsFolder }: BuildkitAddress) {
    const read = (file: string): Buffer => readFileSync(join(tlsFolder ?? '', file));
    const secured =
      tlsFolder === undefined
        ? credentials.createInsecure()
        : credentials.createSsl(read('ca.pem'), read('key.pem'), read('cert.pem'));
    this.client = new Client(url.replace(/^tcp:\/\//, 'dns:'), secured, {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
    });
  }

  async workers(
    signal: AbortSignal,
  ): Promise<{ Platforms: { OS: string; Architecture: string; Variant: string }[] }[]> {
    const { record } = await this.unary<
      object,
      { record: { Platforms: { OS: string; Architecture: string; Variant: string }[] }[] }
    >('ListWorkers', {}, signal);
    return record;
  }

  async solve(request: SolveRequest, signal: AbortSignal): Promise<Record<string, string>> {
    const { ExporterResponse } = await this.unary<SolveRequest, { ExporterResponse: Record<string, string> }>(
      'Solve',
      request,
      signal,
    );
    return ExporterResponse;
  }

  /** What happens in a build, until it has ended. The build need not have begun. */
  async *status(ref: string, signal: AbortSignal): AsyncGenerator<BuildStatus> {
    const method = methodOf('Status');
    const call = this.client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (data: Buffer) => BuildStatus,
      { Ref: ref },
      new Metadata(),
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      yield* call as AsyncIterable<BuildStatus>;
    } finally {
      signal.removeEventListener('abort', cancel);
      cancel();
    }
  }

  /** Offers the session's services over a stream of this connection, until the session is closed. */
  openSession(session: Session): void {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(session.headers))
      for (const one of [value].flat()) metadata.add(name.toLowerCase(), one);
    const method = methodOf('Session');
    const call = this.client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize as (value: Bytes) => Buffer,
      method.responseDeserialize as (data: Buffer) => Bytes,
      metadata,
    );
    session.serve(connectionOver(call));
  }

  close(): void {
    this.client.close();
  }

  private unary<Q extends object, A>(name: string, request: Q, signal: AbortSignal): Promise<A> {
    const method = methodOf(name);
    return new Promise((resolve, reject) => {
      const call = this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (data: Buffer) => A,
        request,
        (error: ServiceError | null, value?: A) => {
          signal.removeEventListener('abort', cancel);
          if (error) reject(error);
          else resolve(value as A);
        },
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
    });
  }
}

function methodOf(name: string) {
  const method = services.control[name];
  if (!method) throw new Error(`BuildKit's control service has no ${name}`);
  return method;
}

/** A connection made of messages: what is written is sent as one, what comes is read. */
function connectionOver(call: ClientDuplexStream<Bytes, Bytes>): Duplex {
  const connection = new Duplex({
    read: () => void call.resume(),
    write: (data: Buffer, _encoding, done) => void call.write({ data }, () => done()),
    final: (done) => {
      call.end();
      done();
    },
    destroy: (error, done) => {
      call.cancel();
      done(error);
    },
  });
  call.on('data', ({ data }: Bytes) => {
    if (!connection.push(data)) call.pause();
  });
  call.on('end', () => connection.push(null));
  // How the build ends says what went wrong; here it is only that nobody calls any more.
  call.on('error', () => connection.destroy());
  return connection;
}
