import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { pino } from 'pino';
import { createDispatch, lazyTemporal } from '../../api/dispatch/index.js';
import { defaultLimits } from '../../api/deps.js';
import { createEvents } from '../../api/events.js';
import { startApi } from '../../api/server.js';
import { createDavitClient, type Api, type DavitClient } from '../../client/index.js';
import { createUser } from '../../store/entities.js';
import { issueKey } from '../../store/keys.js';
import { folderBlobs } from '../../store/blobs/folder.js';
import { linkSecret, linkSigner } from '../../store/blobs/signed-url.js';
import { startAgent, type AgentOptions, type RunningAgent } from '../../workers/agent.js';
import { startControlWorker, type RunningWorker } from '../../workers/control.js';
import { testBundle } from './bundle.js';
import { anyFreePort } from './ports.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { startTemporal, type TestTemporal } from './temporal.js';
import { until } from './until.js';

type Launch = Api<'Launch'>;

/**
 * Every part of Davit in this process, over a real PostgreSQL, a real Temporal and the real process target. For tests of what the parts do together
 * while nobody is killed; those that kill processes use `davit up` (test/support/stack.ts).
 */
export class Engine {
  readonly agents: RunningAgent[] = [];
  private control: RunningWorker | undefined;
  private stopApi: () => Promise<void> = async () => undefined;
  readonly entity = 'ada';
  client!: DavitClient;
  apiUrl = '';
  userKey = '';
  agentKey = '';
  entityId = 0;

  private constructor(
    readonly folder: string,
    readonly temporal: TestTemporal,
    readonly database: TestDatabase,
  ) {}

  static async start(options: { window?: number; controlWorker?: boolean } = {}): Promise<Engine> {
    const folder = await mkdtemp(join(tmpdir(), 'davit-test-engine-'));
    const [temporal, database] = await Promise.all([startTemporal(), createTestDatabase({ maxConnections: 30 })]);
    const engine = new Engine(folder, temporal, database);
    await engine.startApi(options.window ?? 200);
    if (options.controlWorker !== false) await engine.startControl();
    return engine;
  }

  readonly log = pino({ level: process.env['DAVIT_TEST_LOG'] ?? 'silent' });

  private async startApi(windowSize: number): Promise<void> {
    const { db, url: databaseUrl } = this.database;
    const { userId, entityId } = await createUser(db, { username: this.entity, isAdmin: true });
    this.entityId = entityId;
    this.userKey = (await issueKey(db, { kind: 'user', userId })).key;
    this.agentKey = (await issueKey(db, { kind: 'agent', userId, entityId })).key;
    const blobSigner = linkSigner(await linkSecret(db));
    const port = await anyFreePort();
    this.apiUrl = `http://127.0.0.1:${port}`;
    const blobs = await folderBlobs({ folder: join(this.folder, 'blobs'), signer: blobSigner, publicUrl: this.apiUrl });
    const temporal = { address: this.temporal.address, namespace: 'default' };
    const dispatch = createDispatch({ db, temporal: lazyTemporal(temporal, this.log), windowSize, log: this.log });
    const events = createEvents({ databaseUrl, log: this.log });
    const api = await startApi(
      { port },
      {
        db,
        blobs,
        dispatch,
        events,
        log: this.log,
        version: 'test',
        publicUrl: this.apiUrl,
        temporal,
        targets: ['process'],
        limits: defaultLimits,
      },
    );
    dispatch.start();
    this.stopApi = async () => {
      await api.stop();
      await dispatch.stop();
      await events.close();
    };
    this.client = createDavitClient({ baseUrl: this.apiUrl, apiKey: this.userKey });
  }

  async startControl(): Promise<RunningWorker> {
    this.control = await startControlWorker({
      temporal: { address: this.temporal.address, namespace: 'default' },
      databaseUrl: this.database.url,
      bundlePath: await testBundle(),
      maxCachedWorkflows: 200,
      log: this.log,
    });
    return this.control;
  }

  async startAgent(over: Partial<AgentOptions> = {}): Promise<RunningAgent> {
    const agent = await startAgent({
      apiUrl: this.apiUrl,
      apiKey: this.agentKey,
      entity: this.entity,
      name: `agent-${this.agents.length + 1}`,
      queues: ['*'],
      maxJobs: 1,
      workFolder: join(this.folder, 'work'),
      environmentCacheFolder: join(this.folder, 'environments'),
      version: 'test',
      log: this.log,
      ...over,
    });
    this.agents.push(agent);
    return agent;
  }

  async queue(name: string, over: Partial<Api<'Queue'>> = {}): Promise<string> {
    await this.client.POST('/queues', { body: { name, target: 'process', requireRun: false, ...over } });
    return name;
  }

  /** A job of the files given; the entry point is run without a shell. */
  async job(name: string, entryPoint: string, files: Record<string, string>): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'code-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const archive = await create({ gzip: true, cwd: folder, portable: true }, ['.']).collect();
    const bytes = Buffer.concat(archive as Buffer[]);
    await this.client.POST('/entities/{entity}/projects/{project}/jobs/{job}/versions', {
      params: { path: { entity: this.entity, project: 'demo', job: name }, query: { entryPoint } },
      body: bytes as never,
      bodySerializer: () => bytes,
      headers: { 'Content-Type': 'application/gzip' },
    });
    return `${this.entity}/demo/${name}:latest`;
  }

  /** A job whose one file is a shell script. */
  script(name: string, text: string): Promise<string> {
    return this.job(name, 'sh run.sh', { 'run.sh': text });
  }

  async enqueue(queue: string, job: string, over: Record<string, unknown> = {}): Promise<string> {
    const { data } = await this.client.POST('/launches', { body: { queue, job, ...over } as never });
    if (!data) throw new Error('no answer');
    return data.id;
  }

  async show(id: string): Promise<Launch> {
    const { data } = await this.client.GET('/launches/{id}', { params: { path: { id } } });
    if (!data) throw new Error('no answer');
    return data;
  }

  async untilState(id: string, states: readonly Launch['state'][], ms = 60_000): Promise<Launch> {
    return until(
      async () => {
        const launch = await this.show(id);
        return states.includes(launch.state) ? launch : undefined;
      },
      { what: `launch ${id} to be ${states.join(' or ')}`, ms },
    );
  }

  ended(id: string, ms?: number): Promise<Launch> {
    return this.untilState(id, ['finished', 'failed', 'stopped'], ms);
  }

  async logText(id: string, stream?: 'prepare' | 'stdout' | 'stderr'): Promise<string> {
    const reply = await fetch(`${this.apiUrl}/api/v1/launches/${id}/logs/text${stream ? `?stream=${stream}` : ''}`, {
      headers: { Authorization: `Bearer ${this.userKey}`, Accept: 'text/plain' },
    });
    return reply.text();
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.agents.map((agent) => agent.drain()));
    await this.control?.stop();
    await this.stopApi();
    await this.temporal.stop();
    await this.database.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
