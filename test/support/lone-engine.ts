import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { until } from './until.js';

const run = promisify(execFile);

/** What jobs of these tests are made of, beside a shell. */
const programs = [
  'sh',
  'cat',
  'dd',
  'echo',
  'env',
  'head',
  'kill',
  'mkdir',
  'printf',
  'rm',
  'seq',
  'sleep',
  'tail',
  'test',
  'touch',
  'tr',
  'true',
];

/**
 * A Docker Engine of one test, to be killed at any moment: beside the one of the machine, with folders of its own, without a network, and with
 * one image made of a few of the machine's own programs. Needs root and dockerd.
 */
export class LoneEngine {
  readonly image = 'davit-test/small:1';
  private child: ChildProcess | undefined;
  private containerd: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly args: readonly string[],
  ) {}

  static async start(options: { liveRestore?: boolean } = {}): Promise<LoneEngine> {
    const folder = await mkdtemp(join(tmpdir(), 'davit-engine-'));
    const engine = new LoneEngine(folder, options.liveRestore === false ? [] : ['--live-restore']);
    await engine.startContainerd();
    await engine.up();
    await engine.makeImage();
    return engine;
  }

  get address(): string {
    return `unix://${this.socket}`;
  }
  get socket(): string {
    return join(this.folder, 'docker.sock');
  }
  get docker(): Docker {
    return new Docker({ socketPath: this.socket });
  }

  /** On its own, as an installed Engine has it: the Engine's would die with the Engine, and the containers with it. */
  private async startContainerd(): Promise<void> {
    const config = join(this.folder, 'containerd.toml');
    await writeFile(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const log = openSync(join(this.folder, 'containerd.log'), 'a');
    const args = ['--config', config, '--address', this.containerdSocket];
    args.push('--root', join(this.folder, 'containerd', 'root'), '--state', join(this.folder, 'containerd', 'state'));
    this.containerd = spawn('containerd', args, { stdio: ['ignore', log, log], detached: true });
    await until(() => existsSync(this.containerdSocket), { what: 'containerd to listen', ms: 60_000 });
  }

  private get containerdSocket(): string {
    return join(this.folder, 'containerd.sock');
  }

  async up(): Promise<void> {
    // Left by a kill; an Engine that finds it does not start.
    await rm(join(this.folder, 'dockerd.pid'), { force: true });
    const log = openSync(join(this.folder, 'dockerd.log'), 'a');
    const args = [
      ...['--data-root', join(this.folder, 'data'), '--exec-root', join(this.folder, 'exec')],
      ...['--pidfile', join(this.folder, 'dockerd.pid'), '-H', this.address],
      ...['--containerd', this.containerdSocket],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ...this.args,
    ];
    // In a network namespace of its own: an Engine that has no bridge removes the one of the machine's Engine.
    const child = spawn('unshare', ['--net', 'dockerd', ...args], { stdio: ['ignore', log, log], detached: true });
    this.child = child;
    const said = () => readFileSync(join(this.folder, 'dockerd.log'), 'utf8').slice(-1_000);
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`dockerd ended: ${said()}`);
        return this.docker.ping().then(
          () => true,
          () => undefined,
        );
      },
      { what: () => `the Engine to answer: ${said()}`, ms: 60_000 },
    );
  }

  /** The Engine alone: its containerd and its containers go on, as when it crashes. */
  async kill9(): Promise<void> {
    await ended(this.child, 'SIGKILL');
  }

  /** While it is down: what it wrote of a container's state, as if it had been killed before it could write more. */
  async rewriteState(containerId: string, state: Record<string, unknown>): Promise<void> {
    const file = join(this.folder, 'data', 'containers', containerId, 'config.v2.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as { State: object };
    await writeFile(file, JSON.stringify({ ...config, State: { ...config.State, ...state } }));
  }

  async stop(): Promise<void> {
    const left = await this.docker.listContainers({ all: true }).catch(() => []);
    await Promise.all(
      left.map(({ Id }) =>
        this.docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => undefined),
      ),
    );
    await ended(this.child, 'SIGTERM');
    await ended(this.containerd, 'SIGTERM');
    this.endShims();
    // The Engine mounts its folder upon itself, and one that was killed leaves the mounts of its builds.
    await run('umount', ['--recursive', join(this.folder, 'data')]).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One more image, on the one that is there: with these programs, under this name. */
  async imageWith(
    name: string,
    files: Record<string, string>,
    { labels = {}, on = this.image }: { labels?: Record<string, string>; on?: string } = {},
  ): Promise<string> {
    const root = await mkdtemp(join(this.folder, 'files-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(root, dirname(path)), { recursive: true });
      await writeFile(join(root, path), text, { mode: 0o755 });
    }
    const container = await this.docker.createContainer({ Image: on, Cmd: ['true'], Labels: labels });
    const { stdout } = await run('tar', ['-C', root, '-cf', '-', '.'], { encoding: 'buffer' });
    await container.putArchive(stdout, { path: '/' });
    const [repo, tag] = name.split(':');
    const { Id } = (await container.commit({ repo, tag })) as { Id: string };
    await container.remove();
    return Id;
  }

  /** Of containers that the Engine forgot: each waits for somebody to take its outcome. */
  private endShims(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      let line: string;
      try {
        line = readFileSync(join('/proc', pid, 'cmdline'), 'utf8');
      } catch {
        continue;
      }
      if (line.includes('containerd-shim') && line.includes(this.containerdSocket))
        process.kill(Number(pid), 'SIGKILL');
    }
  }

  private async makeImage(): Promise<void> {
    const root = join(this.folder, 'image');
    const files = new Set<string>();
    for (const program of programs) {
      const path = ['/bin', '/usr/bin'].map((folder) => join(folder, program)).find((each) => existsSync(each));
      if (path === undefined) continue;
      files.add(path);
      const { stdout } = await run('ldd', [await realpath(path)]).catch(() => ({ stdout: '' }));
      for (const [library] of stdout.matchAll(/\/[^\s]+/g)) files.add(library);
    }
    for (const file of files) {
      await mkdir(join(root, dirname(file)), { recursive: true });
      await run('cp', ['-L', file, join(root, file)]);
    }
    await mkdir(join(root, 'tmp'), { recursive: true });
    const tar = spawn('tar', ['-C', root, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [repo, tag] = this.image.split(':');
    // The client's type knows the way with a callback only.
    const load = this.docker.importImage.bind(this.docker) as unknown as (
      ...args: unknown[]
    ) => Promise<AsyncIterable<Buffer>>;
    const stream = await load(tar.stdout, { repo, tag, changes: 'ENV PATH=/bin:/usr/bin' });
    for await (const part of stream) if (part.toString().includes('"error"')) throw new Error(part.toString());
    await rm(root, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}
