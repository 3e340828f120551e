import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { LaunchError } from '../../domain/errors.js';
import { gitRemoteProblem } from '../../domain/git-remote.js';
import { withGitAccess, type GitSource } from './access.js';
import { GitFailure, runGit, type GitCall } from './run.js';

export interface GitFetch extends GitSource {
  /** All of its digits. */
  commit: string;
  /** Writes the job's changes on top of the commit to a file. Default: there are none. */
  patch?: ((toFile: string) => Promise<void>) | undefined;
  /** A gzipped tar of the commit, its submodules and changes, as a code job has one. */
  toFile: string;
  signal: AbortSignal;
  onLog: (text: string) => void;
}

const timeoutMs = 30 * 60_000;

/** Fetches the commit and packs it. Nothing is left beside the archive. Throws `LaunchError` with stage `prepare`. */
export async function fetchCommit(job: GitFetch): Promise<void> {
  const folder = `${job.toFile}.git-work`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await withGitAccess(job, async (environment) => {
      const { signal, onLog } = job;
      const call: GitCall = { environment, folder, signal, timeoutMs, onLog };
      onLog(`Fetching commit ${job.commit} of ${job.remote}.\n`);
      await checkOut(job, call);
      await submodules(job, call, folder);
      if (job.patch) await applyPatch(job.patch, call, folder);
    });
    await mkdir(dirname(job.toFile), { recursive: true });
    await create(
      {
        file: job.toFile,
        cwd: folder,
        gzip: true,
        portable: true,
        filter: (path) => !path.split('/').includes('.git'),
      },
      ['.'],
    );
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function checkOut({ remote, commit }: GitFetch, call: GitCall): Promise<void> {
  await runGit(['init', '--quiet'], call);
  await runGit(['remote', 'add', '--', 'origin', remote], call);
  try {
    try {
      await runGit(['fetch', '--quiet', '--depth', '1', '--no-tags', 'origin', commit], call);
    } catch (error) {
      if (!(error instanceof GitFailure) || error.timedOut) throw error;
      // Some servers hand out only what a branch or tag names; then all of it is fetched, and the commit is looked for in it.
      await runGit(['fetch', '--quiet', '--tags', 'origin', '+refs/*:refs/remotes/origin/*'], call);
    }
  } catch (error) {
    throw failed(
      error,
      (said) => new LaunchError('git-unreachable', 'prepare', `The repository ${remote} cannot be read: ${said}.`),
    );
  }
  try {
    await runGit(['checkout', '--quiet', '--detach', commit], call);
  } catch (error) {
    throw failed(
      error,
      () => new LaunchError('git-ref-unknown', 'prepare', `The repository ${remote} has no commit ${commit}.`),
    );
  }
}

async function submodules({ remote, allowed }: GitFetch, call: GitCall, folder: string): Promise<void> {
  const declared = await readFile(join(folder, '.gitmodules'), 'utf8').catch(() => undefined);
  if (declared === undefined) return;
  const urls = await runGit(['config', '--file', '.gitmodules', '--get-regexp', '^submodule\\..*\\.url$'], call).catch(
    () => '',
  );
  for (const line of urls.split('\n')) {
    const url = line.slice(line.indexOf(' ') + 1).trim();
    // One that begins with ./ or ../ lies beside the repository itself.
    if (line === '' || /^\.{1,2}\//.test(url)) continue;
    const problem = gitRemoteProblem(url, allowed);
    if (problem !== undefined) throw new LaunchError('git-refused', 'prepare', `A submodule of ${remote}: ${problem}`);
  }
  try {
    await runGit(['submodule', '--quiet', 'update', '--init', '--recursive'], call);
  } catch (error) {
    throw failed(
      error,
      (said) => new LaunchError('git-unreachable', 'prepare', `A submodule of ${remote} cannot be fetched: ${said}.`),
    );
  }
}

async function applyPatch(patch: (toFile: string) => Promise<void>, call: GitCall, folder: string): Promise<void> {
  const file = join(folder, '.git', 'job.patch');
  await patch(file);
  try {
    await runGit(['apply', '-p1', '--whitespace=nowarn', file], call);
  } catch (error) {
    throw failed(
      error,
      (said) => new LaunchError('patch-failed', 'prepare', `The job's changes do not apply to its commit: ${said}.`),
    );
  }
  call.onLog?.("Applied the job's changes on top of the commit.\n");
}

const failed = (error: unknown, as: (said: string) => Error): unknown =>
  error instanceof GitFailure ? as(error.said) : error;
