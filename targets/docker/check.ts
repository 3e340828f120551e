import type { TargetCheck } from '../target.js';
import type { DockerTargetConfig } from './config.js';
import type { Disk } from './disk.js';
import type { Engine } from './engine.js';
import { bytesInWords } from './sizes.js';

interface EngineInfo {
  ServerVersion?: string;
  OSType?: string;
  Architecture?: string;
  OperatingSystem?: string;
  NCPU?: number;
  MemTotal?: number;
  LiveRestoreEnabled?: boolean;
  MemoryLimit?: boolean;
  SwapLimit?: boolean;
  Runtimes?: Record<string, unknown>;
  SecurityOptions?: string[];
}

/** Labels on volumes, requests for devices, and the log driver that is used. */
const oldestApi = 1.4;

const checkTimeoutMs = 5_000;

export async function checkEngine(engine: Engine, disk: Disk, config: DockerTargetConfig): Promise<TargetCheck> {
  const details: string[] = [];
  try {
    const info = (await engine.call((docker) => docker.info(), { ms: checkTimeoutMs })) as EngineInfo;
    const version = await engine.call((docker) => docker.version(), { ms: checkTimeoutMs });
    if (info.OSType !== 'linux')
      return {
        ok: false,
        details: [
          `The Docker Engine at ${engine.shown} runs ${info.OSType ?? 'unknown'} containers; jobs need Linux containers.`,
        ],
      };
    const [major = 0, minor = 0] = version.ApiVersion.split('.').map(Number);
    if (major + minor / 100 < oldestApi)
      return {
        ok: false,
        details: [
          `The Docker Engine at ${engine.shown} speaks API ${version.ApiVersion}; update it to 19.03 or later.`,
        ],
      };
    details.push(
      `Docker Engine ${info.ServerVersion ?? ''} at ${engine.shown}: ${info.Architecture ?? ''}, ${info.NCPU ?? 0} CPUs, ${bytesInWords(info.MemTotal ?? 0)} of memory.`,
    );
    if (info.LiveRestoreEnabled !== true)
      details.push('A restart of the Engine ends its jobs; "live-restore": true in its daemon.json lets them go on.');
    if (info.MemoryLimit === false) details.push('This Engine cannot limit memory: the key memory has no effect.');
    const gpu = Object.keys(info.Runtimes ?? {}).find((name) => /nvidia|amd/.test(name));
    if (gpu !== undefined) details.push(`Jobs can have GPUs: the Engine has the runtime ${gpu}.`);
    const free = await disk.freeBytes();
    if (free !== undefined && free < config.diskFloorBytes)
      details.push(
        `Only ${bytesInWords(free)} is free on the Engine's disk, less than the ${bytesInWords(config.diskFloorBytes)} that are kept free: images can be neither pulled nor built while nothing makes way.`,
      );
    return { ok: true, details };
  } catch (error) {
    return { ok: false, details: [sentence(error)] };
  }
}

function sentence(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const help = /EACCES/.test(reason)
    ? 'let the user of the agent use it (group docker)'
    : 'start it, or say where it is (dockerEngine or DOCKER_HOST)';
  return `${reason.replace(/\.$/, '')}; ${help}.`;
}
