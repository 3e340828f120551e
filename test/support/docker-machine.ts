import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Docker from 'dockerode';

const script = join(dirname(fileURLToPath(import.meta.url)), '..', 'machine', 'docker-up.sh');
const run = promisify(execFile);

/** What test/machine/docker-up.sh has brought up. */
export interface DockerMachine {
  /** `unix:///…` */
  dockerHost: string;
  socketPath: string;
  /** `host:port`, open to all. */
  registry: string;
  /** `host:port`, with a login. */
  registryWithLogin: string;
  login: { username: string; password: string };
  /** A Python image that both the Engine and the open registry have. */
  baseImage: string;
  /** How containers reach this machine. */
  gateway: string;
  enginePid: number;
  folder: string;
  engine: Docker;
  /** The Engine dies as by kill -9; its containers go on. `start` brings it back. */
  killEngine(): Promise<void>;
  start(): Promise<void>;
}

/** Idempotent and quick when everything is there. `number` chooses an Engine of its own, for tests that kill it. */
export async function dockerMachine(number?: number): Promise<DockerMachine> {
  const env = { ...process.env, ...(number === undefined ? {} : { DAVIT_TEST_ENGINE: String(number) }) };
  const call = async (verb: string): Promise<Record<string, string>> => {
    const { stdout } = await run(script, [verb], { env, timeout: 600_000 });
    return Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  };
  const said = await call('up');
  const need = (name: string): string => {
    const value = said[name];
    if (value === undefined || value === '') throw new Error(`docker-up.sh did not say ${name}`);
    return value;
  };
  const dockerHost = need('DOCKER_HOST');
  const socketPath = dockerHost.replace('unix://', '');
  return {
    dockerHost,
    socketPath,
    registry: need('REGISTRY'),
    registryWithLogin: need('REGISTRY_LOGIN'),
    login: { username: need('REGISTRY_USER'), password: need('REGISTRY_PASSWORD') },
    baseImage: need('BASE_IMAGE'),
    gateway: need('GATEWAY'),
    enginePid: Number(need('DOCKERD_PID')),
    folder: need('ENGINE_FOLDER'),
    engine: new Docker({ socketPath }),
    killEngine: async () => void (await call('kill')),
    start: async () => void (await call('up')),
  };
}
