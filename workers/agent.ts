import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { agentActivities } from '../activities/agent/index.js';
import type { AgentDeps } from '../activities/agent/deps.js';
import { SlotPool } from '../activities/agent/slot-pool.js';
import type { Builders } from '../builders/register.js';
import { sayBuilder } from './say-builder.js';
import { CodeCache, type CodeCacheOptions } from '../builders/code/cache.js';
import { DavitApiError } from '../client/index.js';
import type { Tracing } from '../telemetry/tracing.js';
import { agentClient, type Duty, type HelloReply } from './agent-client.js';
import { takeSeat, type Seat } from './agent-lock.js';
import { patiently } from './patiently.js';
import { agentSpans } from './agent-spans.js';
import { beat } from './heartbeat.js';
import { serveMetrics, slotMetrics, temporalMetricsAddress, type MetricsAddress } from './metrics.js';
import { slotSupplier } from './slot-supplier.js';
import type { TargetName } from '../domain/words.js';
import { openTargets, type AgentTargets, type TargetFolders } from './targets.js';
import { connectionOptions, installRuntime, type TemporalOptions } from './temporal.js';

export interface AgentOptions {
  apiUrl: string;
  /** A key of kind agent. */
  apiKey: string;
  entity: string;
  /** The same after each restart: by it the agent finds its jobs again. */
  name: string;
  /** Queue names of the entity; `*`: every queue whose target this agent has. */
  queues: string[];
  /** Slots; -1 = unlimited. */
  maxJobs: number;
  /** What this agent has, for launches that require it. */
  labels?: Record<string, string> | undefined;
  /** Different launches that must fail on it in a row, through no fault of theirs, until it takes nothing more; 0: never. */
  quarantineAfter?: number | undefined;
  /** Repositories that are fetched, beyond https and ssh, by the beginnings of their addresses. */
  gitAllowed?: readonly string[] | undefined;
  /** What `${name}` stands for in resource configs. */
  macros?: Readonly<Record<string, string>> | undefined;
  /** Where targets and the agent keep what must outlive them. */
  workFolder: string;
  /** Python environments, one per set of requirements; may be shared by all agents of a machine. */
  environmentCacheFolder: string;
  /** Settings of targets, by their names; each target has its schema for them. */
  targetOptions?: Partial<Record<TargetName, Record<string, unknown>>> | undefined;
  /** How images are made of code, and what opens registries; without it, code runs on base images. */
  builders?: Builders | undefined;
  /** Code by digest; without it, each launch fetches its own. */
  codeCache?: CodeCacheOptions | undefined;
  /** Default: what the API says. */
  temporal?: TemporalOptions | undefined;
  heartbeatMs?: number | undefined;
  /** What jobs run on, when it is not what the register has (a benchmark's target that does nothing). */
  targets?: ((folders: TargetFolders) => Promise<AgentTargets>) | undefined;
  /** Of this program, shown with the agent. */
  version: string;
  metrics?: MetricsAddress | undefined;
  /** Present: the agent's steps are told as spans. Its owner closes it. */
  tracing?: Tracing | undefined;
  log: Logger;
}

export interface RunningAgent {
  agentId: string;
  /** No more launches; running jobs go on and are adopted by whoever comes next at this place. */
  drain(): Promise<void>;
  /** Rejects when the agent can work no more (superseded, broken). */
  done: Promise<void>;
  /** Resolves when an operator wants the process to end. */
  dismissed: Promise<void>;
}

/** Between the call to stop and its becoming a failure of the activities: long enough to end a request that is under way. */
const shutdownGraceTime = '1 second';
const shutdownForceTime = '15 seconds';
/** How often jobs of earlier processes are counted again while there are any. */
const recountMs = 5_000;
const unconfirmedMs = 12_000;
/** How soon an Engine that went away or came back is noticed. */
const lookEveryMs = 5_000;

/** Dials out only: to the API and to Temporal. Knows no database and holds no workflow code. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { log, name, queues } = options;
  installRuntime(log, options.metrics && (await temporalMetricsAddress()));
  const seat = await takeSeat(options.workFolder, name);
  const { incarnation } = seat;
  const targets = await (options.targets?.(options) ??
    openTargets(options, process.env, options.targetOptions ?? {}, log));
  const api = agentClient(options);
  const sayHello = (endedIncarnation: string | undefined): Promise<HelloReply> =>
    api.hello({
      entity: options.entity,
      name,
      incarnation,
      ...(endedIncarnation === undefined ? {} : { endedIncarnation }),
      host: hostname(),
      pid: process.pid,
      version: options.version,
      maxJobs: options.maxJobs,
      targets: targets.report,
      queues,
      ...(options.labels === undefined ? {} : { labels: options.labels }),
      ...(options.quarantineAfter === undefined ? {} : { quarantineAfter: options.quarantineAfter }),
    });
  const welcome = await beWelcomed(seat, sayHello, log);
  const { agentId } = welcome;
  const tmpFolder = join(options.workFolder, 'tmp', options.entity, name);
  // Whoever was here before has ended, since we are welcome. If he was killed, his keys and clones are still there.
  await rm(tmpFolder, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'cannot remove what an earlier process left'),
  );
  if (targets.report.docker?.ok && options.builders) void sayBuilder(options.builders, log);
  const temporal: TemporalOptions = options.temporal ?? welcome.temporal;
  const connection = await NativeConnection.connect(connectionOptions(temporal));
  const client = new Client({ connection, namespace: temporal.namespace });

  const pool = new SlotPool(options.maxJobs);
  const agentApi = api.forAgent({ agentId, incarnation });
  const deps: AgentDeps = {
    api: agentApi,
    pool,
    agentId,
    target: (target) => targets.get(target),
    recountJobs: async () => pool.setCharged(await targets.chargedTo(agentId)),
    isWorkflowOpen: async (workflowId, runId) =>
      (await client.workflow.getHandle(workflowId, runId).describe()).status.name === 'RUNNING',
    git: { allowed: options.gitAllowed },
    macros: options.macros,
    tmpFolder,
    ...(options.builders === undefined ? {} : { builders: options.builders }),
    ...(options.codeCache === undefined ? {} : { codeCache: new CodeCache(options.codeCache) }),
    log,
  };
  // Before the first poll: jobs that an earlier process of this agent left running occupy its slots.
  await deps.recountJobs();

  const activities = agentActivities(deps);
  const common = {
    connection,
    namespace: temporal.namespace,
    identity: `agent:${name}@${hostname()}#${incarnation}`,
    shutdownGraceTime,
    shutdownForceTime,
    ...(options.tracing === undefined
      ? {}
      : {
          interceptors: {
            activity: [agentSpans({ tracing: options.tracing, agentId, name, traceparent: api.traceOf(agentId) })],
          },
        }),
  } satisfies Partial<WorkerOptions>;
  const long = {
    maxConcurrentActivityTaskExecutions: 10_000,
    // How late a cancel arrives where the server cannot push it, and how stale a heartbeat may be.
    maxHeartbeatThrottleInterval: '4 seconds',
    defaultHeartbeatThrottleInterval: '4 seconds',
    // Each poll is a request that the server holds open: with many agents they are most of what an idle system does. More of them while
    // the server says that tasks wait.
    activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 1, maximum: 5 },
  } satisfies Partial<WorkerOptions>;

  const metrics = options.metrics && (await serveMetrics('agent', options.version, options.metrics, slotMetrics(pool)));
  const crew = new Crew(log);
  await crew.add('own', { ...common, ...long, taskQueue: welcome.privateTaskQueue, activities: { ...activities.own } });
  const watched = new Set<string>();
  const watch = async (taskQueues: Readonly<Record<string, string>>): Promise<void> => {
    for (const [target, taskQueue] of Object.entries(taskQueues)) {
      if (watched.has(taskQueue)) continue;
      watched.add(taskQueue);
      await crew.add(target, { ...common, ...long, taskQueue, activities: { ...activities.place } });
    }
  };
  await watch(welcome.watchTaskQueues);
  const serve = (duty: Duty): Promise<void> =>
    crew.keepLines(
      new Map(
        duty.queues.map(({ taskQueue }) => [
          taskQueue,
          {
            ...common,
            taskQueue,
            activities: { ...activities.line },
            tuner: {
              activityTaskSlotSupplier: slotSupplier(pool, taskQueue),
              workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
              localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
              nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
            },
            activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
          },
        ]),
      ),
    );
  /** Of this process; that an operator drains the agent is the API's own knowledge. */
  let status: 'active' | 'draining' | 'stopped' = 'active';
  let leaving = false;
  let dismiss: () => void = () => undefined;
  const dismissed = new Promise<void>((resolve) => {
    dismiss = resolve;
  });
  let said = '';
  /** Says once what keeps us from taking launches. */
  const say = (duty: Duty): void => {
    const what =
      duty.wanted === 'stopped'
        ? 'an operator stops this agent'
        : duty.wanted === 'draining'
          ? 'an operator drains this agent: it takes nothing new and works off what it holds'
          : duty.quarantine
            ? `in quarantine: it takes nothing. ${duty.quarantine.reason}`
            : '';
    if (what === said) return;
    if (what === '') log.info('takes launches again');
    else log.warn({ probeAfter: duty.quarantine?.probeAfter }, what);
    said = what;
  };
  /** What the API wants of us: which queues to serve, and whether to work at all. An agent that may take nothing is given no queues. */
  const obey = async (duty: Duty): Promise<void> => {
    if (leaving) return;
    say(duty);
    if (duty.wanted === 'stopped') return dismiss();
    await serve(duty);
  };
  await obey(welcome);
  log.info(
    { agent: name, agentId, maxJobs: options.maxJobs, queues: welcome.queues.map((q) => `${q.entity}/${q.queue}`) },
    'agent runs',
  );

  const sendHeartbeat = (): Promise<Duty> => api.heartbeat(agentId, { incarnation, status, queues });
  const heart = beat({
    everyMs: options.heartbeatMs ?? welcome.heartbeatMs,
    log,
    async send() {
      await obey(await sendHeartbeat());
    },
  });
  const recount = setInterval(() => {
    if (pool.hasOrphans)
      void deps.recountJobs().catch((error: unknown) => log.warn({ error: String(error) }, 'cannot list jobs'));
    for (const lease of pool.all()) {
      if (lease.begun || Date.now() < lease.boundAtMs + unconfirmedMs) continue;
      // Its workflow never came: back in line, and the slot is free either way. A prepare that came alone ends with it.
      pool.remove(lease);
      void lease.stopStarting();
      void agentApi.giveBack(lease.launchId, lease.claim, 'the agent was not asked to begin').catch(() => undefined);
    }
  }, recountMs);

  let untold = false;
  /** Targets that came or went since they were last told: queues of those that cannot run jobs are somebody else's. */
  const lookAgain = async (): Promise<void> => {
    const changed = (await targets.refresh?.()) ?? false;
    if (leaving || !(changed || untold)) return;
    untold = false;
    const again = await sayHello(undefined);
    await watch(again.watchTaskQueues);
    await obey(again);
  };
  let looking: Promise<void> = Promise.resolve();
  const look = setInterval(() => {
    looking = looking.then(lookAgain).catch((error: unknown) => {
      untold = true;
      log.warn({ error: String(error) }, 'cannot tell the API what the targets are like now');
    });
  }, lookEveryMs);

  const end = async (): Promise<void> => {
    clearInterval(recount);
    clearInterval(look);
    heart.stop();
    await crew.stop();
    await connection.close().catch(() => undefined);
    await metrics?.close();
  };
  let draining: Promise<void> | undefined;
  const drain = (): Promise<void> =>
    (draining ??= (async () => {
      leaving = true;
      pool.close();
      status = 'draining';
      await sendHeartbeat().catch(() => undefined);
      await end();
      status = 'stopped';
      await sendHeartbeat().catch(() => undefined);
    })());
  const done = Promise.race([heart.done, crew.done]).catch(async (error: unknown) => {
    pool.close();
    await end();
    throw error;
  });
  done.catch(() => undefined);
  return { agentId, drain, done, dismissed };
}

/** Says hello as the heir of each life that is known to be over, until the API has one of them on record. */
async function beWelcomed(
  seat: Seat,
  hello: (endedIncarnation: string | undefined) => Promise<HelloReply>,
  log: Logger,
): Promise<HelloReply> {
  const [first, ...others] = seat.ended;
  let heirOf = first;
  for (;;) {
    try {
      const welcome = await patiently(() => hello(heirOf), log);
      await seat.settle();
      return welcome;
    } catch (error) {
      heirOf = others.shift();
      if (!(error instanceof DavitApiError) || error.code !== 'agent-duplicate' || heirOf === undefined) throw error;
    }
  }
}

/** The workers of one process: a fixed set, and one for each queue that is served now. */
class Crew {
  private readonly fixed: { worker: Worker; run: Promise<void> }[] = [];
  private readonly lines = new Map<string, { worker: Worker; run: Promise<void> }>();
  /** Told to end, and not over yet: a second worker of the same task queue must not begin before. */
  private readonly ending = new Map<string, Promise<void>>();
  private fail: (error: unknown) => void = () => undefined;
  readonly done: Promise<never>;
  private stopping = false;

  constructor(private readonly log: Logger) {
    this.done = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    this.done.catch(() => undefined);
  }

  async add(_what: string, options: WorkerOptions): Promise<void> {
    this.fixed.push(await this.start(options));
  }

  /** Starts workers for queues that are new and ends those of queues that are gone. */
  async keepLines(wanted: ReadonlyMap<string, WorkerOptions>): Promise<void> {
    for (const [taskQueue, line] of this.lines) {
      if (wanted.has(taskQueue)) continue;
      this.lines.delete(taskQueue);
      this.log.info({ taskQueue }, 'serves this queue no more');
      if (line.worker.getState() === 'RUNNING') line.worker.shutdown();
      const over = line.run.catch(() => undefined).then(() => void this.ending.delete(taskQueue));
      this.ending.set(taskQueue, over);
    }
    for (const [taskQueue, options] of wanted) {
      // One that is still ending is begun anew with a later heartbeat.
      if (this.lines.has(taskQueue) || this.ending.has(taskQueue) || this.stopping) continue;
      this.lines.set(taskQueue, await this.start(options));
      this.log.info({ taskQueue }, 'serves this queue');
    }
  }

  private async start(options: WorkerOptions): Promise<{ worker: Worker; run: Promise<void> }> {
    const worker = await Worker.create(options);
    const run = worker.run();
    run.catch((error: unknown) => {
      if (!this.stopping) this.fail(error);
    });
    return { worker, run };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const all = [...this.lines.values(), ...this.fixed];
    for (const { worker } of all) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled([...all.map(({ run }) => run), ...this.ending.values()]);
  }
}
