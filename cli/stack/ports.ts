import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { isErrno, readJsonIfThere, writeWhole } from './files.js';
import { portOwner } from './port-owner.js';

export const loopback = '127.0.0.1';

export type PortName = 'api' | 'temporal' | 'temporalUi' | 'postgres';
export type Ports = Record<PortName, number>;

const portNames: readonly PortName[] = ['api', 'temporal', 'temporalUi', 'postgres'];

/** Where the search begins. People connect to the first three by hand; nobody needs to know the database's. */
const defaultPorts: Record<PortName, number | null> = { api: 8080, temporal: 7233, temporalUi: 8233, postgres: null };
const searchWidth = 200;

const port = z.number().int().min(1).max(65_535);
const portsSchema = z.object({ api: port, temporal: port, temporalUi: port, postgres: port });

export interface MovedPort {
  name: PortName;
  wanted: number;
  chosen: number;
}

/**
 * Chooses a free port for each part: what the user asked for (or an error), else what this data folder used last,
 * else the default or the next free one. The choice is kept: addresses in scripts hold over restarts.
 */
export async function choosePorts(
  runFolder: string,
  asked: Partial<Ports> = {},
): Promise<{ ports: Ports; moved: MovedPort[] }> {
  const kept = readPorts(runFolder);
  const chosen: Partial<Ports> = {};
  const taken = new Set<number>(portNames.flatMap((name) => asked[name] ?? []));
  const moved: MovedPort[] = [];
  for (const name of portNames) {
    const wanted = asked[name];
    if (wanted !== undefined) {
      if (!(await isFree(wanted))) throw portInUse(name, wanted);
      chosen[name] = wanted;
      continue;
    }
    const first = kept?.[name] ?? defaultPorts[name];
    const found = first === null ? await anyFree(taken) : await firstFree(first, taken);
    if (first !== null && found !== first) moved.push({ name, wanted: first, chosen: found });
    taken.add(found);
    chosen[name] = found;
  }
  const ports = portsSchema.parse(chosen);
  writeWhole(join(runFolder, 'ports.json'), JSON.stringify(ports, null, 2));
  return { ports, moved };
}

/** The ports that a data folder uses, or null before its first start. */
export function readPorts(runFolder: string): Ports | null {
  return portsSchema.safeParse(readJsonIfThere(join(runFolder, 'ports.json'))).data ?? null;
}

async function firstFree(first: number, taken: ReadonlySet<number>): Promise<number> {
  for (let candidate = first; candidate < Math.min(first + searchWidth, 65_536); candidate++) {
    if (!taken.has(candidate) && (await isFree(candidate))) return candidate;
  }
  return anyFree(taken);
}

async function anyFree(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const server = createServer();
    const found = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host: loopback, exclusive: true }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (!taken.has(found)) return found;
  }
}

export async function isFree(candidate: number): Promise<boolean> {
  // Binding alone is not enough: macOS lets us bind 127.0.0.1 beside somebody's 0.0.0.0.
  return (await canBind(candidate)) && !(await answers(candidate));
}

function canBind(candidate: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (isErrno(error, 'EADDRINUSE', 'EACCES')) resolve(false);
      else reject(error);
    });
    server.listen({ port: candidate, host: loopback, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** True when somebody accepts connections on that port of this machine. */
export function answers(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port: candidate, host: loopback });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function portInUse(name: PortName, wanted: number): DavitError {
  const owner = portOwner(wanted);
  const who = owner === null ? 'taken' : `taken by ${owner.program} (process ${owner.pid})`;
  const message =
    wanted < 1024 && owner === null
      ? `Port ${wanted} (${name}) cannot be used: it is taken, or ports below 1024 need more rights.`
      : `Port ${wanted} (${name}) of ${loopback} is ${who}.`;
  return new DavitError('port-in-use', message, { extra: { port: wanted, part: name, owner } });
}
