import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { blobRouter } from '../../api/blobs.js';
import { errorHandler } from '../../api/errors.js';
import { requestId } from '../../api/request-id.js';
import { wandbRouter } from '../../api/wandb/router.js';
import { openBlobs, type BlobSettings } from '../../store/blobs/open-blobs.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import { createUser } from '../../store/entities.js';
import type { Keyring } from '../../store/keyring.js';
import { issueKey } from '../../store/keys.js';
import type { Store } from '../../store/open.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';

/** The part of the API that the wandb client speaks to, on a real socket and a database of its own. */
export interface TrackingApi {
  url: string;
  /** Of the user and entity `ada`. */
  key: string;
  userId: number;
  entityId: number;
  db: Store;
  database: TestDatabase;
  blobs: Blobs;
  /** Method and path of every request so far, without telemetry. */
  requests: string[];
  /** Answers with status 400 and above, other than telemetry. */
  refused: { request: string; status: number; body: string }[];
  graphql<T = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    key?: string,
  ): Promise<{ status: number; data: T; errors?: { message: string }[] }>;
  fileStream(path: string, body: unknown, key?: string): Promise<{ status: number; body: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** `server`: another PostgreSQL than the one of the test run. `storage`: another place for bytes than a folder of its own. */
export async function startTrackingApi(
  options: { server?: string; storage?: BlobSettings; keyring?: Keyring } = {},
): Promise<TrackingApi> {
  const database = await createTestDatabase(options.server === undefined ? {} : { server: options.server });
  const { db } = database;
  const { userId, entityId } = await createUser(db, { username: 'ada', email: 'ada@example.test' });
  const { key } = await issueKey(db, { kind: 'user', userId });
  const folder = await mkdtemp(join(tmpdir(), 'davit-test-blobs-'));

  const app = express();
  const requests: string[] = [];
  const refused: TrackingApi['refused'] = [];
  app.use((req, res, next) => {
    if (req.path.startsWith('/sdk/otel')) return next();
    const request = `${req.method} ${req.path}`;
    requests.push(request);
    const send = res.send.bind(res);
    res.send = (body: unknown) => {
      if (res.statusCode >= 400) refused.push({ request, status: res.statusCode, body: String(body) });
      return send(body);
    };
    next();
  });
  const server = app.listen(0, '127.0.0.1');
  // On a busy machine more than the usual five seconds pass between two requests of a test, and one that meets the closing of its connection fails.
  server.keepAliveTimeout = 600_000;
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = pino({ level: 'silent' });
  const blobs = await openBlobs(options.storage ?? { kind: 'folder', folder }, { db, publicUrl: url });
  app.use(requestId);
  app.use(wandbRouter({ db, blobs, log, publicUrl: url, ...(options.keyring ? { keyring: options.keyring } : {}) }));
  app.use(blobRouter({ db, blobs }));
  app.use(errorHandler({ log, publicUrl: url }));

  const post = (path: string, body: unknown, withKey: string) =>
    fetch(url + path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${Buffer.from(`api:${withKey}`).toString('base64')}`,
      },
      body: JSON.stringify(body),
    });
  return {
    url,
    key,
    userId,
    entityId,
    db,
    database,
    blobs,
    requests,
    refused,
    async graphql<T>(query: string, variables: Record<string, unknown> = {}, withKey = key) {
      const res = await post('/graphql', { query, variables, operationName: '' }, withKey);
      const body = (await res.json()) as { data: T; errors?: { message: string }[] };
      return { status: res.status, ...body };
    },
    async fileStream(path, body, withKey = key) {
      const res = await post(`/files/${path}/file_stream`, body, withKey);
      return { status: res.status, body: (await res.json()) as Record<string, unknown> };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
