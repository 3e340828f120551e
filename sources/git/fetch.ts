import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { DavitError, LaunchError } from '../../domain/errors.js';
import { newFolder, withGitAccess, type GitSource } from './access.js';
import { failedAs, GitFailure, runGit, type GitCall } from './run.js';
import { withSizeWatch } from './size-watch.js';
import { fetchSubmodules } from './submodules.js';

export interface GitFetch extends GitSource {
  /** All of its digits. */
  commit: string;
  /** Writes the job's changes on top of the commit to a file. Default: there are none. */
  patch?: ((toFile: string) => Promise<void>) | undefined;
  /** A gzipped tar of the commit, its submodules and changes, as a code job has one. */
  toFile: string;
  /** Of everything that is fetched, on disk. More of it ends the fetch. */
  maxBytes?: number | undefined;
  signal: AbortSignal;
  onLog: (text: string) => void;
}

const timeoutMs = 30 * 60_000;
/** Twice what unpacked code may be: the files, and git's own copy of them. */
const defaultMaxBytes = 16 * 1024 ** 3;

/** Fetches the commit and packs it. Nothing is left beside the archive. Throws `LaunchError` with stage `prepare`. */
export async function fetchCommit(job: GitFetch): Promise<void> {
  const { remote, commit, signal, onLog, maxBytes = defaultMaxBytes } = job;
  const folder = await newFolder(job.tmpFolder, 'clone-');
  const tooLarge = (): Error =>
    new LaunchError(
      'code-invalid',
      'prepare',
      `The code of ${remote} cannot be used: fetched, it takes more than ${maxBytes} bytes.`,
    );
  try {
    await withGitAccess(job, (environment) =>
      withSizeWatch(folder, maxBytes, tooLarge, signal, async (watch) => {
        const call = { environment, folder, signal: watch.signal, timeoutMs, onLog };
        onLog(`Fetching commit ${commit} of ${remote}.\n`);
        await checkOut(job, call);
        await watch.look();
        await fetchSubmodules(job, call, watch.look);
        if (job.patch) await applyPatch(job.patch, call);
      }),
    );
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
  } catch (error) {
    if (!(error instanceof DavitError) || error instanceof LaunchError) throw error;
    throw new LaunchError(error.code, 'prepare', error.message, error);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function checkOut({ remote, commit }: GitFetch, call: GitCall): Promise<void> {
  await runGit(['init', '--quiet'], call);
  await runGit(['remote', 'add', '--', 'origin', remote], call);
  const fetch = async (): Promise<void> => {
    try {
      await runGit(['fetch', '--quiet', '--depth', '1', '--no-tags', 'origin', commit], call);
    } catch (error) {
      if (!(error instanceof GitFailure) || error.timedOut) throw error;
      // Some servers hand out only what a branch or tag names; then all of it is fetched, and the commit is looked for in it.
      await runGit(['fetch', '--quiet', '--tags', 'origin', '+refs/*:refs/remotes/origin/*'], call);
    }
  };
  await failedAs(
    (said) => new LaunchError('git-unreachable', 'prepare', `The repository ${remote} cannot be read: ${said}.`),
  )(fetch());
  await failedAs(
    () => new LaunchError('git-ref-unknown', 'prepare', `The repository ${remote} has no commit ${commit}.`),
  )(runGit(['checkout', '--quiet', '--detach', commit], call));
}

async function applyPatch(patch: (toFile: string) => Promise<void>, call: GitCall & { folder: string }): Promise<void> {
  const file = join(call.folder, '.git', 'job.patch');
  await patch(file);
  await failedAs(
    (said) => new LaunchError('patch-failed', 'prepare', `The job's changes do not apply to its commit: ${said}.`),
  )(runGit(['apply', '-p1', '--whitespace=nowarn', file], call));
  call.onLog?.("Applied the job's changes on top of the commit.\n");
}
