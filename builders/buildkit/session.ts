import { randomUUID } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { services, type ServiceDefinition } from './protocol.js';

/** What a build asks its client for while it runs: logins for registries, secrets, the build context. Nothing of it is stored there. */
export interface SessionServices {
  credentials(host: string): Promise<{ username: string; password: string } | undefined>;
  secret(id: string): Promise<Buffer | undefined>;
  /** The build context, for a builder that fetches it from here. */
  upload?: () => Readable;
  /** A tar of the result, for an export to this side. */
  received?: (data: Buffer) => void;
}

/**
 * The client's end of a build: BuildKit calls back over a connection that this side has opened. The caller carries the connection (the Engine's
 * `/session`, a stream of buildkitd) with `headers`, and hands it over with `serve`.
 */
export class Session {
  readonly id = randomUUID();
  private readonly server = new Server();
  private readonly connections = new Set<Duplex>();
  private readonly methods: string[] = [];

  constructor(private readonly what: SessionServices) {
    this.add(services.health, { Check: unary(async () => ({ status: serving })), Watch: unimplemented });
    this.add(services.auth, { Credentials: unary(({ Host }: { Host: string }) => this.login(Host)) });
    this.add(services.secrets, { GetSecret: unary(({ ID }: { ID: string }) => this.secret(ID)) });
    if (what.upload) {
      const { upload } = what;
      this.add(services.upload, { Pull: (call: ByteStream) => void sendAll(call, upload()) });
    }
    if (what.received) {
      const { received } = what;
      this.add(services.fileSend, { DiffCopy: (call: ByteStream) => receiveAll(call, received) });
    }
  }

  get headers(): Record<string, string | string[]> {
    return {
      'X-Docker-Expose-Session-Uuid': this.id,
      'X-Docker-Expose-Session-Name': 'davit',
      'X-Docker-Expose-Session-Sharedkey': '',
      'X-Docker-Expose-Session-Grpc-Method': this.methods,
    };
  }

  serve(connection: Duplex): void {
    this.connections.add(connection);
    // Its end is seen by the build itself.
    connection.on('error', () => undefined);
    const injector = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    injector.injectConnection(connection);
  }

  close(): void {
    this.server.forceShutdown();
    for (const connection of this.connections) connection.destroy();
  }

  private add(definition: ServiceDefinition, handlers: Record<string, unknown>): void {
    this.server.addService(definition, handlers as Parameters<Server['addService']>[1]);
    for (const method of Object.values(definition)) this.methods.push(method.path);
  }

  private async login(host: string): Promise<object> {
    const found = await this.what.credentials(host);
    return found ? { Username: found.username, Secret: found.password } : {};
  }

  private async secret(id: string): Promise<object> {
    const data = await this.what.secret(id);
    if (data === undefined) throw Object.assign(new Error(`there is no secret ${id}`), { code: status.NOT_FOUND });
    return { data };
  }
}

/** grpc.health.v1: SERVING */
const serving = 1;

interface Bytes {
  data: Buffer;
}
type ByteStream = ServerDuplexStream<Bytes, Bytes>;

const unary =
  <Q, A extends object>(answer: (request: Q) => Promise<A>) =>
  (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    answer(call.request).then(
      (value) => callback(null, value),
      (error: unknown) => callback({ code: status.UNKNOWN, ...(error as object), details: messageOf(error) }),
    );
  };

const unimplemented = (call: { destroy(error: unknown): void }): void =>
  call.destroy(Object.assign(new Error('not offered'), { code: status.UNIMPLEMENTED, metadata: new Metadata() }));

const pieceBytes = 512 * 1024;

async function sendAll(call: ByteStream, source: Readable): Promise<void> {
  call.on('data', () => undefined);
  call.once('cancelled', () => source.destroy());
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        if (!call.write({ data: chunk.subarray(at, at + pieceBytes) })) await drained(call);
      }
    }
    call.end();
  } catch (error) {
    call.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

const drained = (call: ByteStream): Promise<void> =>
  new Promise((resolve, reject) => {
    call.once('drain', resolve);
    call.once('cancelled', () => reject(new Error('cancelled')));
  });

function receiveAll(call: ByteStream, received: (data: Buffer) => void): void {
  call.on('data', ({ data }: Bytes) => received(data));
  call.on('end', () => call.end());
  call.on('error', () => undefined);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
