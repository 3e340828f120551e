import { LaunchError } from '../../domain/errors.js';
import type { JobPlan } from '../../domain/job-plan.js';
import { requirementsOf } from '../../builders/code/own-requirements.js';
import { ensureCode } from '../../builders/code/unpack.js';
import { fetchCode } from '../fetch-code.js';
import type { PrepareContext } from '../target.js';
import type { DockerTargetConfig } from './config.js';
import type { Disk } from './disk.js';
import type { EngineAway } from './engine.js';
import { ensureEnvironment } from './environment.js';
import { ensureImage } from './images.js';
import type { LogReader } from './logs.js';
import { hasMark } from './marks.js';
import { isLoopback, specOf } from './plan.js';
import type { JobFolders } from './prepared.js';

export interface Preparing {
  reader: LogReader;
  disk: Disk;
  folders: JobFolders;
  config: DockerTargetConfig;
}

/** Makes the image, the code and the packages be there, and tells early what would only fail late. */
export async function prepareJob(parts: Preparing, plan: JobPlan, context: PrepareContext): Promise<void> {
  const { reader, disk, folders, config } = parts;
  const { engine } = reader;
  const { signal, onLog } = context;
  signal.throwIfAborted();
  await engine.patiently((docker) => docker.ping(), {
    signal,
    patienceMs: config.patienceMs,
    onAway: (error: EngineAway) => onLog(`${error.message}; it is asked again.\n`),
  });
  await refuseKilled(parts, plan);
  const spec = specOf(plan);
  refuseUnreachableApi(parts, spec.environment['WANDB_BASE_URL'], spec.container.HostConfig['NetworkMode']);
  const login = context.registryLogin ?? (() => Promise.resolve(undefined));
  const { image: given } = plan.build;
  const makeRoom = (): Promise<void> => disk.makeRoom({ signal, onLog });
  const made = given === undefined ? context.buildImage : async () => ({ image: given, codeFolder: undefined });
  const built = spec.code === 'mounted' ? await made?.(makeRoom) : undefined;
  // An image of this very code never changes under its name; there is nothing to ask for a newer one.
  const wanted = built === undefined ? spec : { ...spec, image: built.image, pull: 'missing' as const };
  const image = await ensureImage(engine, disk, config, wanted, { signal, onLog, login });
  if (image.digest !== undefined) onLog(`It is ${image.digest}.\n`);

  let environmentVolume: string | undefined;
  const hasCode = spec.code === 'mounted' && (built === undefined || built.codeFolder !== undefined);
  // The builder tells more of what it makes than is known here.
  if (hasCode || spec.code === 'in-image' || given !== undefined)
    await context.onImage({
      image: image.digest ?? image.id,
      name: wanted.image,
      use: hasCode ? 'base' : spec.code === 'in-image' ? 'image' : 'built',
    });
  if (hasCode) {
    const root = await folders.make(plan.name);
    const code = folders.code(plan.name);
    await ensureCode({ root, code }, plan.codeDigest, config, (toFile) => fetchCode(context, toFile), onLog);
    signal.throwIfAborted();
    const whole = { ...plan, requirements: await requirementsOf(plan, code) };
    environmentVolume = await ensureEnvironment(parts, { plan: whole, image, signal, onLog });
  }
  await folders.write(plan.name, {
    imageId: image.id,
    workingDir: image.workingDir,
    hasCode,
    isBuilt: spec.code === 'mounted' && !hasCode,
    ...(image.path === undefined ? {} : { path: image.path }),
    ...(environmentVolume === undefined ? {} : { environmentVolume }),
  });
  await refuseKilled(parts, plan);
}

async function refuseKilled({ reader }: Preparing, { name }: JobPlan): Promise<void> {
  if (await hasMark(reader.engine, name, 'kill')) throw new LaunchError('submit-after-kill', 'prepare');
}

/** On another machine, `127.0.0.1` is that machine. */
function refuseUnreachableApi({ reader }: Preparing, apiUrl: string | undefined, network: unknown): void {
  if (apiUrl === undefined || reader.engine.isLocal || !isLoopback(apiUrl) || network !== 'host') return;
  throw new LaunchError(
    'submit-failed',
    'prepare',
    `The Engine at ${reader.engine.shown} is on another machine, and the API is known as ${apiUrl}, which is reached from its own machine only; give the agent the address by which containers reach it (dockerApiUrl).`,
  );
}
