import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { isWorthRetrying, type DavitClient } from '../../client/index.js';
import { readRecords } from '../../cli/stack/child-record.js';
import { readPorts, type Ports } from '../../cli/stack/ports.js';
import { superuser } from '../../cli/stack/postgres-cluster.js';
import { begunOf } from '../../cli/stack/process-identity.js';
import { buildProgram, cleanEnvironment, davitProgram, DavitUp, newHome } from './davit-up.js';
import { endNow } from './end-now.js';
import { HandAgent } from './hand-agent.js';
import { Launcher } from './launcher.js';
import { startCluster, type Cluster } from './postgres-cluster.mjs';
import { jobProcesses, type Stray } from './strays.js';
import { startTemporal, type TestTemporal } from './temporal.js';
import { until } from './until.js';

export const parts = ['server', 'worker', 'agent', 'temporal', 'postgres'] as const;
export type Part = (typeof parts)[number];

export interface StackOptions {
  /** Slots of the stack's own agent; 0: it has none, and the test starts agents by hand. */
  maxJobs?: number;
  /** Temporal and PostgreSQL of the test's own instead of the embedded ones, to be taken away and brought back. */
  ownTemporal?: boolean;
  ownPostgres?: boolean;
}

export interface AgentOptions {
  maxJobs?: number;
  /** Default: every queue. */
  queues?: string[];
  /** What else it is told, such as an API address of its own. */
  env?: NodeJS.ProcessEnv;
}

/** A whole `davit up` as real processes on a data folder and ports of its own, for tests that kill them. */
export class Stack extends Launcher {
  readonly folder: string;
  readonly agents: HandAgent[] = [];
  temporal: TestTemporal | undefined;
  postgres: Cluster | undefined;
  private running: DavitUp | undefined;
  private environment: NodeJS.ProcessEnv = {};
  private removeHome: () => void;
  private stopping = false;
  entity = '';

  private constructor(
    readonly home: string,
    remove: () => void,
  ) {
    super();
    this.removeHome = remove;
    this.folder = join(home, 'test');
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    await buildProgram();
    const { path, remove } = newHome();
    const stack = new Stack(path, remove);
    try {
      await stack.prepare(options);
      await stack.startUp();
      mkdirSync(stack.folder, { recursive: true });
      stack.entity = readFileSync(join(path, 'keys', 'entity'), 'utf8').trim();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  private async prepare({ maxJobs = 1, ownTemporal, ownPostgres }: StackOptions): Promise<void> {
    if (ownTemporal) this.temporal = await startTemporal();
    if (ownPostgres) await this.postgresBack();
    this.environment = {
      DAVIT_ENVIRONMENT_CACHE_FOLDER: join(this.home, 'environments'),
      DAVIT_AGENT_NAME: 'first',
      DAVIT_LOG_LEVEL: process.env['DAVIT_TEST_LOG'] ?? 'info',
      ...(maxJobs === 0 ? { DAVIT_AGENT: 'false' } : { DAVIT_MAX_JOBS: String(maxJobs) }),
      ...(this.temporal === undefined ? {} : { TEMPORAL_ADDRESS: this.temporal.address }),
      ...(this.postgres === undefined ? {} : { DATABASE_URL: this.postgres.url }),
    };
  }

  /** `davit up` on the same data folder: for the first time, or after everything was killed. */
  async startUp(): Promise<void> {
    this.running = await DavitUp.start(this.home, { env: this.environment });
  }

  get up(): DavitUp {
    if (this.running === undefined) throw new Error('davit up does not run');
    return this.running;
  }
  get client(): DavitClient {
    return this.up.client;
  }
  get apiUrl(): string {
    return this.up.url;
  }
  get userKey(): string {
    return this.up.key;
  }
  get workFolder(): string {
    return join(this.home, 'work');
  }

  /** Accepted once, however often the API has to be asked. */
  override enqueue(queue: string, job: string, over: Record<string, unknown> = {}, key?: string): Promise<string> {
    const sure = key ?? randomUUID();
    return patiently(() => super.enqueue(queue, job, over, sure));
  }

  // Parts and their ends.

  /** Ends the process of a part as a crash does. */
  kill(part: Part): void {
    process.kill(this.up.pidOf(part), 'SIGKILL');
  }

  /** Ends a part and waits until `davit up` has it ready again. */
  async killAndWait(part: Part, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const before = this.timesBack(part);
    const pid = this.up.pidOf(part);
    process.kill(pid, signal);
    await until(() => this.timesBack(part) > before, { what: `${part} to be back`, ms: 120_000 });
    if (part === 'agent') await this.untilAgent('first', pid);
  }

  private timesBack(part: Part): number {
    return this.up.events().filter((event) => event['kind'] === 'again' && event['part'] === part).length;
  }

  /** The supervisor and all its parts, in one stroke. Nothing of it runs when this returns; jobs do. */
  async killEverything(): Promise<void> {
    const records = readRecords(join(this.home, 'run')).flatMap((record) => record.process ?? []);
    this.up.process.kill('SIGKILL');
    for (const { pid, begun } of records) if (begunOf(pid) === begun) endNow(pid);
    await this.up.exited;
    await until(() => records.every(({ pid, begun }) => begunOf(pid) !== begun), { what: 'all parts to be gone' });
  }

  async postgresAway(): Promise<void> {
    await this.postgres?.stop();
  }
  async postgresBack(): Promise<void> {
    const port = this.postgres?.port;
    this.postgres = await startCluster({
      folder: join(this.home, 'own-postgres'),
      ...(port === undefined ? {} : { port }),
    });
  }

  // Agents by hand.

  /** A process that means to be the agent of this name; whether it becomes it, the caller waits for. */
  spawnAgent(name: string, options: AgentOptions = {}): HandAgent {
    const agent = new HandAgent(name, {
      program: process.execPath,
      args: [davitProgram, 'agent'],
      cwd: this.home,
      env: cleanEnvironment({
        DAVIT_HOME: this.home,
        DAVIT_URL: this.apiUrl,
        DAVIT_AGENT_KEY_FILE: join(this.home, 'keys', 'agent'),
        DAVIT_ENTITY: this.entity,
        DAVIT_AGENT_NAME: name,
        DAVIT_MAX_JOBS: String(options.maxJobs ?? 1),
        DAVIT_WORK_FOLDER: this.workFolder,
        DAVIT_ENVIRONMENT_CACHE_FOLDER: join(this.home, 'environments'),
        DAVIT_LOG_LEVEL: 'info',
        DAVIT_LOG_FORMAT: 'json',
        ...(options.queues === undefined ? {} : { DAVIT_QUEUES: options.queues.join(',') }),
        ...options.env,
      }),
    });
    this.agents.push(agent);
    return agent;
  }

  async startAgent(name: string, options: AgentOptions = {}): Promise<HandAgent> {
    const agent = this.spawnAgent(name, options);
    await until(
      async () => {
        if (agent.isOver) throw new Error(`agent ${name} ended: ${agent.said()}`);
        return (await this.pidOfAgent(name)) === agent.pid;
      },
      { what: () => `agent ${name} to be at work; it said: ${agent.said()}`, ms: 120_000 },
    );
    return agent;
  }

  /** Starts an agent by hand and starts it again whenever it ends, as a service manager does, until the stack stops. */
  keepAgent(name: string, options: AgentOptions = {}): void {
    void (async () => {
      while (!this.stopping) {
        await this.spawnAgent(name, options).exited;
        await wait(200);
      }
    })();
  }

  /** The latest process of an agent that was started by hand. */
  agentByHand(name: string): HandAgent | undefined {
    return this.agents.findLast((agent) => agent.name === name);
  }

  /** Until another process than this one works under the name. */
  private async untilAgent(name: string, otherThan: number): Promise<void> {
    await until(async () => ((await this.pidOfAgent(name)) ?? otherThan) !== otherThan, {
      what: `a new process of agent ${name}`,
      ms: 120_000,
    });
  }

  async pidOfAgent(name: string): Promise<number | undefined> {
    const { data } = await this.client.GET('/agents', {});
    return data?.items.find((agent) => agent.name === name && agent.status === 'active')?.pid;
  }

  // What there is.

  /** Rows of the store, for what the API does not show. */
  async ask<Row>(statement: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(statement)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  private get ports(): Ports | null {
    return readPorts(join(this.home, 'run'));
  }
  get databaseUrl(): string {
    if (this.postgres !== undefined) return this.postgres.url;
    const password = readFileSync(join(this.home, 'keys', 'postgres'), 'utf8').trim();
    return `postgresql://${superuser}:${password}@127.0.0.1:${this.ports?.postgres}/davit`;
  }

  get temporalAddress(): string {
    return this.temporal?.address ?? `127.0.0.1:${this.ports?.temporal}`;
  }
  /** Lends a client of the stack's Temporal. */
  async inTemporal<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: this.temporalAddress, connectTimeout: 5_000 });
    try {
      return await use(new Client({ connection }));
    } finally {
      await connection.close();
    }
  }

  jobProcesses(): Stray[] {
    return jobProcesses(this);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const agent of this.agents) if (!agent.isOver) await agent.kill();
    await this.running?.stop();
    await this.temporal?.stop();
    await this.postgres?.stop();
    // A failed test may leave jobs that wait for ever.
    if (this.running !== undefined) for (const { pid } of this.jobProcesses()) endNow(pid);
    this.removeHome();
  }
}

/** As a client that means it: again and again until the API has answered, the same request each time. */
export async function patiently<T>(call: () => Promise<T>, ms = 120_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isWorthRetrying(error) || Date.now() > deadline) throw error;
    }
    await wait(100);
  }
}
