import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { Header, Pax } from 'tar';
import { defaultLimits, type ApiDeps, type ApiLimits } from '../../../api/deps.js';
import { createDispatch, lazyTemporal, type FullDispatch } from '../../../api/dispatch/index.js';
import type { GitSettings } from '../../../api/git.js';
import { createEvents } from '../../../api/events.js';
import { startApi } from '../../../api/server.js';
import { openBlobs } from '../../../store/blobs/open-blobs.js';
import type { Blobs } from '../../../store/blobs/blobs.js';
import { createTeam, createUser, setMember } from '../../../store/entities.js';
import { Keyring, newKeyLine } from '../../../store/keyring.js';
import { ensureFirstAdmin, issueKey } from '../../../store/keys.js';
import type { Store } from '../../../store/open.js';
import { planJob } from '../../../targets/register.js';
import { createTestDatabase } from '../../support/postgres.js';

/**
 * The whole API on a socket, with a database of its own and blobs in a folder. Nothing listens where Temporal should be: launches are
 * accepted and wait, which is what the API promises then.
 */
export interface TestApi {
  url: string;
  db: Store;
  blobs: Blobs;
  /** Its sweeps stand still until a test starts them. */
  dispatch: FullDispatch;
  databaseUrl: string;
  /** Log lines of level warn and above. */
  complaints: string[];
  /** Keys by who they belong to. */
  keys: Record<'root' | 'ada' | 'mem' | 'vic' | 'bob' | 'labAgent', string>;
  ids: { ada: number; lab: number };
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface CallOptions {
  /** Default: ada's. Null: none. */
  key?: string | null;
  body?: unknown;
  raw?: Uint8Array | string;
  headers?: Record<string, string>;
}
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field
  body: any;
}

/** People: root (site admin), ada (admin of team lab), mem and vic (member and viewer of lab), bob (a stranger to all of them). */
export async function startTestApi(
  limits: Partial<ApiLimits> = {},
  over: Partial<Pick<ApiDeps, 'metricsToken' | 'tracing' | 'keyring'>> & { git?: Partial<GitSettings> } = {},
): Promise<TestApi> {
  const database = await createTestDatabase();
  const { db } = database;
  const first = await ensureFirstAdmin(db, { username: 'root' });
  const users: Record<string, { userId: number; entityId: number }> = {};
  const keys: Record<string, string> = { root: first?.key ?? '' };
  for (const name of ['ada', 'mem', 'vic', 'bob']) {
    const user = await createUser(db, { username: name });
    users[name] = user;
    keys[name] = (await issueKey(db, { kind: 'user', userId: user.userId })).key;
  }
  const lab = await createTeam(db, { name: 'lab', adminUserId: users['ada']?.userId ?? 0 });
  await setMember(db, lab.id, users['mem']?.userId ?? 0, 'member');
  await setMember(db, lab.id, users['vic']?.userId ?? 0, 'viewer');
  keys['labAgent'] = (
    await issueKey(db, { kind: 'agent', userId: users['ada']?.userId ?? 0, entityId: lab.id, description: 'one' })
  ).key;

  const folder = await mkdtemp(join(tmpdir(), 'davit-api-test-'));
  const complaints: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => complaints.push(line) });
  const temporal = lazyTemporal({ address: '127.0.0.1:1', namespace: 'default' }, log);
  const dispatch = createDispatch({ db, temporal, windowSize: 0, log: pino({ level: 'silent' }) });
  const events = createEvents({ databaseUrl: database.url, log });
  let blobs: Blobs | undefined;
  const api = await startApi({ port: 0, stopMs: 5_000 }, async (publicUrl) => {
    blobs = await openBlobs({ kind: 'folder', folder }, { db, publicUrl });
    return {
      db,
      blobs,
      dispatch,
      events,
      log,
      publicUrl,
      version: '0.0.0-test',
      temporal: { address: '127.0.0.1:1', namespace: 'default' },
      targets: ['process'],
      plan: planJob,
      limits: { ...defaultLimits, ...limits },
      keyring: Keyring.parse(newKeyLine(new Date())),
      ...over,
      git: { tmpFolder: join(folder, 'git-tmp'), ...over.git },
    };
  });
  if (!blobs) throw new Error('no blobs');

  const close = async () => {
    await api.stop();
    await events.close();
    await dispatch.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    url: api.publicUrl,
    db,
    blobs,
    dispatch,
    databaseUrl: database.url,
    complaints,
    keys: keys,
    ids: { ada: users['ada']?.userId ?? 0, lab: lab.id },
    call: (method, path, options = {}) => call(`${api.publicUrl}/api/v1${path}`, method, keys['ada'] ?? '', options),
    stop: () => api.stop(),
    close,
  };
}

async function call(url: string, method: string, adaKey: string, options: CallOptions): Promise<Answer> {
  const { key = adaKey, body, raw, headers = {} } = options;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(raw !== undefined
      ? { body: raw as Uint8Array<ArrayBuffer> | string }
      : body === undefined
        ? {}
        : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}

export interface TarEntry {
  path: string;
  data?: string | Buffer;
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'FIFO' | 'CharacterDevice';
  linkpath?: string;
}

/** A tar made entry by entry, so that it can hold what no honest tar would. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, data = '', type = 'File', linkpath } of entries) {
    const content = Buffer.from(data);
    const fields = {
      path,
      size: content.length,
      mode: 0o644,
      mtime: new Date(0),
      type,
      ...(linkpath ? { linkpath } : {}),
    };
    const block = Buffer.alloc(512);
    if (new Header(fields).encode(block, 0)) parts.push(new Pax({ path, size: content.length }).encode());
    parts.push(block, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
export const tarGzOf = (entries: readonly TarEntry[]): Buffer => gzipSync(tarOf(entries));

export const trainFiles: TarEntry[] = [
  { path: './', type: 'Directory' },
  { path: './train.py', data: 'import wandb\nwandb.init()\n' },
  { path: './requirements.txt', data: 'wandb\n' },
];

/** A job `train` in lab/demo and a queue lab/q: what a launch needs. */
export async function makeLaunchable(api: TestApi): Promise<void> {
  const job = await api.call('POST', '/entities/lab/projects/demo/jobs/train/versions?entryPoint=python%20train.py', {
    raw: tarGzOf(trainFiles),
    headers: { 'Content-Type': 'application/gzip' },
  });
  if (job.status !== 201) throw new Error(job.text);
  const queue = await api.call('POST', '/queues', { body: { entity: 'lab', name: 'q', target: 'process' } });
  if (queue.status !== 201) throw new Error(queue.text);
}
