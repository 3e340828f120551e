import type { JobPlan } from '../../domain/job-plan.js';
import { fetchCommit } from '../../sources/git/fetch.js';
import type { AttemptRef } from '../contract.js';
import type { AgentDeps } from './deps.js';
import { untilAnswered } from './retry.js';

/** Writes the job's code to a file, as a gzipped tar: from the API, or from the repository that it is a commit of. */
export async function fetchSource(
  { api, git, tmpFolder }: Pick<AgentDeps, 'api' | 'git' | 'tmpFolder'>,
  { launchId, claim }: AttemptRef,
  { source }: JobPlan,
  to: {
    toFile: string;
    signal: AbortSignal;
    onLog: (text: string) => void;
    secret: (name: string) => Promise<string>;
  },
): Promise<void> {
  const { toFile, signal } = to;
  if (source.kind !== 'git') return untilAnswered(signal, () => api.fetchCode(launchId, claim, toFile, signal));
  const { remote, commit, patched, credentials } = source;
  await fetchCommit({
    toFile,
    tmpFolder,
    signal,
    onLog: to.onLog,
    credentials: credentials === undefined ? undefined : await to.secret(credentials),
    remote,
    commit,
    allowed: git?.allowed,
    patch:
      patched === true
        ? (file) => untilAnswered(signal, () => api.fetchPatch(launchId, claim, file, signal))
        : undefined,
  });
}
