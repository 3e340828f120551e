import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import Docker from 'dockerode';
import { LaunchError } from '../../domain/errors.js';
import { within } from '../../domain/within.js';
import type { EngineAddress, FoundEngine } from './address.js';
import { sshAgent } from './ssh-agent.js';

/** No connection, a connection that broke, no answer in time: whether the call did anything is unknown. */
export class EngineAway extends Error {
  override readonly name = 'EngineAway';
}

const callTimeoutMs = 30_000;
const firstPauseMs = 100;
const longestPauseMs = 2_000;

/**
 * The Engine's API by dockerode, with a limit to every call: an Engine that is killed leaves calls open that never end (measured: waiting for
 * a container's exit, and any answer that had begun).
 */
export class Engine {
  readonly docker: Docker;
  readonly shown: string;
  readonly isLocal: boolean;

  constructor({ address, shown }: FoundEngine) {
    this.docker = new Docker(optionsOf(address));
    this.shown = shown;
    this.isLocal = address.kind === 'socket';
  }

  /** Throws EngineAway, the Engine's refusal (`statusOf` tells which), or the signal's reason. */
  async call<T>(work: (docker: Docker, signal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const { signal = new AbortController().signal, ms = callTimeoutMs } = options;
    try {
      return await within(signal, ms, (soon) => Promise.race([work(this.docker, soon), aborted(soon)]));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (statusOf(error) !== undefined || error instanceof LaunchError) throw error;
      throw new EngineAway(`The Docker Engine at ${this.shown} does not answer: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * A stream that ends with the signal, or by `end`; also one that is still on its way then: nobody would read it, and it would keep this process
   * alive.
   */
  async stream<T extends { destroy(): unknown }>(
    open: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ body: T; end(): void }> {
    const request = new AbortController();
    let body: T | undefined;
    const end = (): void => {
      signal.removeEventListener('abort', end);
      if (body) body.destroy();
      else request.abort();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      const opened = await this.call((docker) => open(docker, request.signal), { signal });
      body = opened;
      signal.throwIfAborted();
      return { body: opened, end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** As `call`, for what may be repeated: as long as the Engine is away and `patienceMs` is not over. */
  async patiently<T>(
    work: (docker: Docker, signal: AbortSignal) => Promise<T>,
    options: CallOptions & { patienceMs: number; onAway?: ((error: EngineAway) => void) | undefined },
  ): Promise<T> {
    const { signal, patienceMs, onAway } = options;
    const deadlineMs = Date.now() + patienceMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        return await this.call(work, options);
      } catch (error) {
        if (!(error instanceof EngineAway) || Date.now() + pauseMs > deadlineMs) throw error;
        onAway?.(error);
        await wait(pauseMs, undefined, { signal });
      }
    }
  }

  /** Work of several calls that may be repeated: where the Engine goes away in the middle, all of it begins again when it is back. */
  async throughAbsences<T>(
    work: () => Promise<T>,
    { signal, patienceMs, onAway }: { signal: AbortSignal; patienceMs: number; onAway: (error: EngineAway) => void },
  ): Promise<T> {
    for (let absences = 1; ; absences++) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof EngineAway) || absences >= mostAbsences) throw error;
        onAway(error);
        await this.patiently((docker) => docker.ping(), { signal, patienceMs });
      }
    }
  }
}

/** An Engine that goes away more often than this during one piece of work is not well, or dies of that work. */
const mostAbsences = 5;

interface CallOptions {
  signal?: AbortSignal | undefined;
  ms?: number;
}

function optionsOf(address: EngineAddress): Docker.DockerOptions {
  switch (address.kind) {
    case 'socket':
      return { socketPath: address.path };
    case 'tcp': {
      const { host, port, tls } = address;
      if (tls === undefined) return { protocol: 'http', host, port };
      const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((file) => readFileSync(file));
      return { protocol: 'https', host, port, ca, cert, key };
    }
    case 'ssh':
      // A name that nobody looks up: the connection is made by ssh.
      return { protocol: 'http', host: 'docker', agent: sshAgent(address) } as Docker.DockerOptions;
  }
}

/** HTTP status of an answer that is no success; undefined: there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
export const isMissing = (error: unknown): boolean => statusOf(error) === 404;
export const isConflict = (error: unknown): boolean => statusOf(error) === 409;

/** The Engine's own sentence, without what the client wraps around it. */
export function reasonOf(error: unknown): string {
  const told = (error as { json?: { message?: unknown } } | null)?.json?.message;
  const text = typeof told === 'string' && told !== '' ? told : error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 600);
}

/** Undefined where the Engine answers that there is no such thing. */
export async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
