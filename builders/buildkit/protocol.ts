import * as protoLoader from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/grpc-js';

/** The part of BuildKit's protocol that is used here: field numbers of its public interface. What is not listed is skipped when read. */
const text = (id: number) => ({ type: 'string', id });
const bytes = (id: number) => ({ type: 'bytes', id });
const flag = (id: number) => ({ type: 'bool', id });
const list = (type: string, id: number) => ({ rule: 'repeated', type, id });
const map = (id: number) => ({ keyType: 'string', type: 'string', id });
const message = (type: string, id: number) => ({ type, id });
const call = (requestType: string, responseType: string, streams: { request?: true; response?: true } = {}) => ({
  requestType,
  responseType,
  ...(streams.request ? { requestStream: true } : {}),
  ...(streams.response ? { responseStream: true } : {}),
});
const both = { request: true, response: true } as const;
const bytesMessage = { fields: { data: bytes(1) } };
const group = (nested: object) => ({ nested });

const descriptor = group({
  google: group({
    protobuf: group({
      Timestamp: { fields: { seconds: message('int64', 1), nanos: message('int32', 2) } },
    }),
  }),
  grpc: group({
    health: group({
      v1: group({
        HealthCheckRequest: { fields: { service: text(1) } },
        HealthCheckResponse: { fields: { status: message('int32', 1) } },
        Health: {
          methods: {
            Check: call('HealthCheckRequest', 'HealthCheckResponse'),
            Watch: call('HealthCheckRequest', 'HealthCheckResponse', { response: true }),
          },
        },
      }),
    }),
  }),
  moby: group({
    filesync: group({
      v1: group({
        CredentialsRequest: { fields: { Host: text(1) } },
        CredentialsResponse: { fields: { Username: text(1), Secret: text(2) } },
        Auth: { methods: { Credentials: call('CredentialsRequest', 'CredentialsResponse') } },
        BytesMessage: bytesMessage,
        FileSend: { methods: { DiffCopy: call('BytesMessage', 'BytesMessage', both) } },
      }),
    }),
    upload: group({
      v1: group({
        BytesMessage: bytesMessage,
        Upload: { methods: { Pull: call('BytesMessage', 'BytesMessage', both) } },
      }),
    }),
    buildkit: group({
      secrets: group({
        v1: group({
          GetSecretRequest: { fields: { ID: text(1) } },
          GetSecretResponse: { fields: { data: bytes(1) } },
          Secrets: { methods: { GetSecret: call('GetSecretRequest', 'GetSecretResponse') } },
        }),
      }),
      v1: group({
        BytesMessage: bytesMessage,
        CacheEntry: { fields: { Type: text(1), Attrs: map(2) } },
        CacheOptions: { fields: { Exports: list('CacheEntry', 4), Imports: list('CacheEntry', 5) } },
        SolveRequest: {
          fields: {
            Ref: text(1),
            Exporter: text(3),
            ExporterAttrs: map(4),
            Session: text(5),
            Frontend: text(6),
            FrontendAttrs: map(7),
            Cache: message('CacheOptions', 8),
          },
        },
        SolveResponse: { fields: { ExporterResponse: map(1) } },
        StatusRequest: { fields: { Ref: text(1) } },
        Vertex: {
          fields: {
            digest: text(1),
            inputs: list('string', 2),
            name: text(3),
            cached: flag(4),
            started: message('google.protobuf.Timestamp', 5),
            completed: message('google.protobuf.Timestamp', 6),
            error: text(7),
          },
        },
        VertexLog: { fields: { vertex: text(1), stream: message('int64', 3), msg: bytes(4) } },
        StatusResponse: { fields: { vertexes: list('Vertex', 1), logs: list('VertexLog', 3) } },
        ListWorkersRequest: { fields: {} },
        Platform: { fields: { Architecture: text(1), OS: text(2), Variant: text(3) } },
        WorkerRecord: { fields: { ID: text(1), Platforms: list('Platform', 3) } },
        ListWorkersResponse: { fields: { record: list('WorkerRecord', 1) } },
        Control: {
          methods: {
            Solve: call('SolveRequest', 'SolveResponse'),
            Status: call('StatusRequest', 'StatusResponse', { response: true }),
            Session: call('BytesMessage', 'BytesMessage', both),
            ListWorkers: call('ListWorkersRequest', 'ListWorkersResponse'),
          },
        },
      }),
    }),
  }),
});

const definitions = protoLoader.fromJSON(descriptor as Parameters<typeof protoLoader.fromJSON>[0], {
  keepCase: true,
  longs: Number,
  defaults: true,
});

export type ServiceDefinition = Record<string, MethodDefinition<object, object>>;

function service(name: string): ServiceDefinition {
  return definitions[name] as unknown as ServiceDefinition;
}

export const services = {
  health: service('grpc.health.v1.Health'),
  auth: service('moby.filesync.v1.Auth'),
  fileSend: service('moby.filesync.v1.FileSend'),
  upload: service('moby.upload.v1.Upload'),
  secrets: service('moby.buildkit.secrets.v1.Secrets'),
  control: service('moby.buildkit.v1.Control'),
};

export interface Time {
  seconds: number;
  nanos: number;
}

export interface Vertex {
  digest: string;
  name: string;
  cached: boolean;
  started: Time | null;
  completed: Time | null;
  error: string;
}

/** What happened since the last one. */
export interface BuildStatus {
  vertexes: Vertex[];
  logs: { vertex: string; stream: number; msg: Buffer }[];
}

const statusMethod = services.control['Status'];
/** One message of the Engine's own stream (`moby.buildkit.trace`). */
export const readStatus = (data: Buffer): BuildStatus => statusMethod?.responseDeserialize(data) as BuildStatus;
