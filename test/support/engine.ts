import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createDispatch, lazyTemporal } from '../../api/dispatch/index.js';
import { defaultLimits } from '../../api/deps.js';
import { createEvents } from '../../api/events.js';
import { createApiMetrics } from '../../api/metrics/index.js';
import { startApi } from '../../api/server.js';
import { createDavitClient, type DavitClient } from '../../client/index.js';
import { createUser } from '../../store/entities.js';
import { Keyring, newKeyLine } from '../../store/keyring.js';
import { issueKey } from '../../store/keys.js';
import { folderBlobs } from '../../store/blobs/folder.js';
import { linkSecret, linkSigner } from '../../store/blobs/signed-url.js';
import { planJob } from '../../targets/register.js';
import type { Tracing } from '../../telemetry/tracing.js';
import { startAgent, type AgentOptions, type RunningAgent } from '../../workers/agent.js';
import { startControlWorker, type RunningWorker } from '../../workers/control.js';
import { testBundle } from './bundle.js';
import { Launcher } from './launcher.js';
import { freePort } from './free-port.mjs';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { startTemporal, type TestTemporal } from './temporal.js';

interface EngineOptions {
  window?: number;
  controlWorker?: boolean;
  /** Git repositories that may be read beside https and ssh. */
  gitAllowed?: readonly string[];
  tracing?: { api?: Tracing; control?: Tracing };
}

/**
 * Every part of Davit in this process, over a real PostgreSQL, a real Temporal and the real process target. For tests of what the parts do together
 * while nobody is killed; those that kill processes use `davit up` (test/support/stack.ts).
 */
export class Engine extends Launcher {
  readonly agents: RunningAgent[] = [];
  private control: RunningWorker | undefined;
  private stopApi: () => Promise<void> = async () => undefined;
  readonly entity = 'ada';
  client!: DavitClient;
  apiUrl = '';
  private tracing: NonNullable<EngineOptions['tracing']> = {};
  private gitAllowed: readonly string[] = [];
  userKey = '';
  agentKey = '';
  entityId = 0;

  private constructor(
    readonly folder: string,
    readonly temporal: TestTemporal,
    readonly database: TestDatabase,
  ) {
    super();
  }

  static async start(options: EngineOptions = {}): Promise<Engine> {
    const folder = await mkdtemp(join(tmpdir(), 'davit-test-engine-'));
    const [temporal, database] = await Promise.all([startTemporal(), createTestDatabase({ maxConnections: 30 })]);
    const engine = new Engine(folder, temporal, database);
    engine.tracing = options.tracing ?? {};
    engine.gitAllowed = options.gitAllowed ?? [];
    await engine.startApi(options.window ?? 200);
    if (options.controlWorker !== false) await engine.startControl();
    return engine;
  }

  private readonly keyring = Keyring.parse(newKeyLine(new Date()));
  readonly log = pino({ level: process.env['DAVIT_TEST_LOG'] ?? 'silent' });

  private async startApi(windowSize: number): Promise<void> {
    const { db } = this.database;
    const { userId, entityId } = await createUser(db, { username: this.entity, isAdmin: true });
    this.entityId = entityId;
    this.userKey = (await issueKey(db, { kind: 'user', userId })).key;
    this.agentKey = (await issueKey(db, { kind: 'agent', userId, entityId })).key;
    const port = await freePort();
    this.apiUrl = `http://127.0.0.1:${port}`;
    await this.openApi(windowSize, port);
  }

  /** The API goes away for as long as `meanwhile` takes, and comes back at the same address. */
  async restartApi(meanwhile: () => Promise<unknown>): Promise<void> {
    await this.stopApi();
    await meanwhile();
    await this.openApi(200, Number(new URL(this.apiUrl).port));
  }

  private async openApi(windowSize: number, port: number): Promise<void> {
    const { db, url: databaseUrl } = this.database;
    const blobSigner = linkSigner(await linkSecret(db));
    const blobs = await folderBlobs({ folder: join(this.folder, 'blobs'), signer: blobSigner, publicUrl: this.apiUrl });
    const temporal = { address: this.temporal.address, namespace: 'default' };
    const metrics = createApiMetrics({ db, version: 'test', log: this.log });
    const { observeSweep } = metrics;
    const dispatch = createDispatch({
      db,
      temporal: lazyTemporal(temporal, this.log),
      windowSize,
      observeSweep,
      log: this.log,
    });
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
        targets: ['process', 'docker'],
        plan: planJob,
        limits: defaultLimits,
        keyring: this.keyring,
        git: { allowed: this.gitAllowed, tmpFolder: join(this.folder, 'api-tmp') },
        metrics,
        tracing: this.tracing.api,
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
      tracing: this.tracing.control,
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
      gitAllowed: this.gitAllowed,
      log: this.log,
      ...over,
    });
    this.agents.push(agent);
    return agent;
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
