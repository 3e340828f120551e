import type { Logger } from 'pino';
import { DavitError } from '../../domain/errors.js';
import { endLeftovers } from './child-record.js';
import { openHome } from './home.js';
import type { Home } from './home.js';
import { takeLock } from './lock.js';
import { choosePorts, loopback } from './ports.js';
import type { MovedPort, Ports } from './ports.js';
import { endLeftoverPostgres, preparePostgres } from './postgres.js';
import { Supervisor } from './supervise.js';
import type { ChildEvent, ChildSpec, ChildStatus } from './supervise.js';
import { defaultNamespace, temporalServer, temporalServes } from './temporal.js';
import { findTemporal } from './temporal-program.js';
import type { ExternalTemporal, TemporalChoice } from './temporal-program.js';

export type StackEvent = ChildEvent | { kind: 'note' | 'warning'; part: string; message: string };

export interface Endpoints {
  home: Home;
  ports: Ports;
  /** Holds the password: for the environment of children, never for logs. */
  databaseUrl: string;
  temporalAddress: string;
  temporalNamespace: string;
  /** Null when Temporal is somebody else's. */
  temporalUiUrl: string | null;
  temporalSource: TemporalChoice['source'];
  apiPort: number;
}

export interface EmbeddedOptions {
  /** The data folder. */
  home: string;
  /** The entry point's environment: PATH, TEMPORAL_*, XDG_CACHE_HOME. */
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** Ports that the user asked for; the others are found. */
  ports?: Partial<Ports>;
  /** A PostgreSQL of the user's own; then none is started. */
  databaseUrl?: string;
  /** What runs on top, in order, once addresses are known. Database and Temporal serve when this is called. */
  children?: (endpoints: Endpoints) => ChildSpec[] | Promise<ChildSpec[]>;
  /** For progress lines: every event has a sentence. */
  onEvent?: (event: StackEvent) => void;
  /** Ends the start when it aborts; whatever ran already is stopped in order. */
  signal?: AbortSignal;
}

export interface EmbeddedStack extends Endpoints {
  /** From the call to everything ready. */
  startedInMs: number;
  status(): ChildStatus[];
  /** Stops everything in the reverse order and gives the data folder free. */
  stop(): Promise<void>;
}

type Say = (part: string, message: string) => void;

/** Starts PostgreSQL, Temporal and the given children on one data folder, and keeps them alive until `stop`. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedStack> {
  const begunAtMs = Date.now();
  const { log, signal } = options;
  const emit = (event: StackEvent) => options.onEvent?.(event);
  const note = (part: string, message: string) => {
    log.info({ part }, message);
    emit({ kind: 'note', part, message });
  };
  const warn = (part: string, message: string) => {
    log.warn({ part }, message);
    emit({ kind: 'warning', part, message });
  };

  const home = openHome(options.home);
  const lock = takeLock(home.run);
  const supervisor = new Supervisor({ runFolder: home.run, logFolder: home.logs, log, onEvent: emit });
  let stopping: Promise<void> | null = null;
  const stop = () => (stopping ??= supervisor.stop().finally(() => lock.release()));
  // The lock stays until everything has ended, also what is not a child: an initdb, an installation.
  const abort = () => void supervisor.stop();
  signal?.addEventListener('abort', abort, { once: true });

  try {
    await clearLeftovers(home, warn);
    signal?.throwIfAborted();
    const { ports, moved } = await choosePorts(home.run, options.ports);
    for (const port of moved) note(port.name, describeMove(port));

    const [databaseUrl, temporal] = await bothOf(
      options.databaseUrl ?? startPostgres(home, ports, options, supervisor, note),
      startTemporal(home, ports, options, supervisor, note, warn),
    );
    signal?.throwIfAborted();
    const endpoints: Endpoints = { home, ports, databaseUrl, apiPort: ports.api, ...temporal };
    for (const child of (await options.children?.(endpoints)) ?? []) {
      signal?.throwIfAborted();
      await supervisor.start(child);
    }
    signal?.throwIfAborted();
    return { ...endpoints, startedInMs: Date.now() - begunAtMs, status: () => supervisor.status(), stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function clearLeftovers(home: Home, warn: Say): Promise<void> {
  const ended = await endLeftovers(home.run);
  const postgres = await endLeftoverPostgres(home);
  for (const { name, pid, gone } of postgres === null ? ended : [...ended, postgres]) {
    if (!gone) {
      const message = `${name} (process ${pid}) of an earlier davit up still works on ${home.root} and cannot be ended.`;
      throw new DavitError('home-in-use', message, { extra: { pid } });
    }
    warn(name, `${name} (process ${pid}) had survived the last davit up and was ended`);
  }
}

async function startPostgres(
  home: Home,
  ports: Ports,
  { env, signal }: EmbeddedOptions,
  supervisor: Supervisor,
  note: Say,
): Promise<string> {
  const prepared = await preparePostgres({
    home,
    port: ports.postgres,
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  note('postgres', `Database: ${prepared.description}${prepared.made ? ', newly made' : ''}`);
  await supervisor.start(prepared.spec);
  return prepared.databaseUrl;
}

type TemporalEndpoints = Pick<Endpoints, 'temporalAddress' | 'temporalNamespace' | 'temporalUiUrl' | 'temporalSource'>;

async function startTemporal(
  home: Home,
  ports: Ports,
  { env, signal }: EmbeddedOptions,
  supervisor: Supervisor,
  note: Say,
  warn: Say,
): Promise<TemporalEndpoints> {
  const choice = await findTemporal({
    env,
    temporalFolder: home.temporal,
    say: (message) => note('temporal', message),
    warn: (message) => warn('temporal', message),
    ...(signal === undefined ? {} : { signal }),
  });
  if (choice.source === 'environment') return useExternal(choice);
  const { temporal: port, temporalUi: uiPort } = ports;
  await supervisor.start(temporalServer({ home, program: choice.program, port, uiPort, env }));
  return {
    temporalSource: choice.source,
    temporalAddress: `${loopback}:${port}`,
    temporalNamespace: defaultNamespace,
    temporalUiUrl: `http://${loopback}:${uiPort}`,
  };
}

async function useExternal(choice: ExternalTemporal): Promise<TemporalEndpoints> {
  try {
    await temporalServes(choice.connection, { searchAttributes: false, signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DavitError('temporal-unavailable', `Temporal at ${choice.address} does not answer: ${reason}.`, {
      cause: error,
    });
  }
  const { source, address, namespace } = choice;
  return { temporalSource: source, temporalAddress: address, temporalNamespace: namespace, temporalUiUrl: null };
}

/** Like Promise.all, but when one fails it waits for the other: nothing may still be starting when the stop begins. */
async function bothOf<A, B>(first: A | Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

const portWords: Record<MovedPort['name'], string> = {
  api: 'The API',
  temporal: 'Temporal',
  temporalUi: "Temporal's web page",
  postgres: 'The database',
};

const describeMove = ({ name, wanted, chosen }: MovedPort) =>
  `${portWords[name]}: port ${wanted} is taken, using ${chosen}`;
