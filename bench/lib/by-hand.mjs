// The Docker Engine as somebody uses it who has no Davit: `docker build` and `docker run`, and what Davit's builder would send it.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { root } from '../../scripts/support.mjs';
import { cleanEnvironment } from './child.mjs';

const run = promisify(execFile);
const product = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const env = cleanEnvironment({ DOCKER_BUILDKIT: '1' });

/** The Engine that `docker` would talk to here; undefined: none answers, or nothing of this machine can build on it by hand. */
export async function findByHand() {
  const [{ findEngine }, { Engine }] = await Promise.all([
    product('targets/docker/address.js'),
    product('targets/docker/engine.js'),
  ]);
  const engine = new Engine(findEngine(undefined, process.env));
  const { docker, shown } = engine;
  const version = await docker.version().catch(() => undefined);
  const program = await findProgram();
  return version === undefined || program === undefined
    ? undefined
    : new ByHand({ engine, docker, shown, version, program });
}

/** Newer commands build with a plugin, which may be missing. */
async function findProgram() {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'docker');
    if (!existsSync(program)) continue;
    try {
      await run(program, ['build', '--help'], { env });
      return program;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

class ByHand {
  constructor(facts) {
    Object.assign(this, facts);
  }

  /** Writes the Dockerfile that Davit's builder generates for this code, and all that it sends with it, into a folder; the arguments of the build. */
  async context(source, { pythonVersion, requirements, owner }, folder) {
    const [{ ensureImage }, { createDockerBuilder }] = await Promise.all([
      product('builders/ensure-image.js'),
      product('builders/docker/index.js'),
    ]);
    const builder = createDockerBuilder({ engine: this.engine, logins: { login: async () => undefined } });
    let args = {};
    const backend = {
      name: builder.name,
      repository: builder.repository,
      platform: undefined,
      resolve: (...asked) => builder.resolve(...asked),
      ownPlatform: (context) => builder.ownPlatform(context),
      find: async () => undefined,
      build: async (recipe) => {
        mkdirSync(folder, { recursive: true });
        args = recipe.arguments;
        await pipeline(await recipe.archive(), extract({ cwd: folder }));
        return { image: recipe.name };
      },
    };
    const request = { sourceDigest: 'bench', pythonVersion, requirements, entryFolder: '', options: {}, owner };
    await ensureImage(backend, request, {
      signal: new AbortController().signal,
      onLog: () => undefined,
      source: async () => source,
      secret: async () => '',
      alone: (key, onWait, work) => work(),
    });
    return args;
  }

  async build(folder, image, args) {
    const { dockerfileName } = await product('builders/ensure-image.js');
    const file = join(folder, dockerfileName);
    const given = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const words = ['build', '--quiet', '--target', 'job', '-t', image, '-f', file, ...given, folder];
    await run(this.program, words, { env });
  }

  /** The id of the container. Like Davit's, it shares the machine's network, and something reaps its processes. */
  async run(image, name, command) {
    const args = ['run', '--detach', '--init', '--network', 'host', '--name', name, image, ...command];
    return (await run(this.program, args, { env })).stdout.trim();
  }

  /** When the Engine started it, by the Engine's clock. */
  async startedAtMs(container) {
    return Date.parse((await this.docker.getContainer(container).inspect()).State.StartedAt);
  }

  async imageOf(container) {
    return (await this.docker.getContainer(container).inspect()).Image;
  }

  async layersOf(image) {
    return (await this.docker.getImage(image).inspect()).RootFS.Layers;
  }

  /** The containers with what Davit remembers of them, and the images that they ran. The Engine's build cache stays. */
  async tidy(containers) {
    const images = new Set();
    for (const name of containers) {
      const image = await this.imageOf(name).catch(() => undefined);
      if (image !== undefined) images.add(image);
      await this.docker
        .getContainer(name)
        .remove({ force: true, v: true })
        .catch(() => undefined);
    }
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify({ label: ['davit.mark'] }) });
    const ours = (Volumes ?? []).filter(({ Labels }) => containers.includes(Labels?.['davit.job']));
    for (const { Name } of ours)
      await this.docker
        .getVolume(Name)
        .remove()
        .catch(() => undefined);
    for (const image of images)
      await this.docker
        .getImage(image)
        .remove({ force: true })
        .catch(() => undefined);
  }
}
