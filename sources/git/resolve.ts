import { DavitError } from '../../domain/errors.js';
import { gitRefProblem, isCommit } from '../../domain/git-remote.js';
import { withGitAccess, type GitSource } from './access.js';
import { GitFailure, runGit } from './run.js';

const timeoutMs = 30_000;

export interface FoundCommit {
  /** The branch, tag or commit that was asked for; of the default branch its name. */
  ref: string;
  commit: string;
}

/**
 * Which commit a branch or tag is now. A whole commit is itself, and nobody is asked. Without a ref: the default branch. Throws
 * `git-refused`, `git-ref-unknown`, `git-unreachable`.
 */
export async function resolveCommit(
  source: GitSource,
  ref: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<FoundCommit> {
  const problem = ref === undefined ? undefined : gitRefProblem(ref);
  if (problem !== undefined) throw new DavitError('git-ref-unknown', problem);
  return withGitAccess(source, async (environment) => {
    if (ref !== undefined && isCommit(ref)) return { ref, commit: ref };
    const wanted = ref === undefined ? ['HEAD', 'refs/heads/main', 'refs/heads/master'] : patternsOf(ref);
    const lines = await listed(['ls-remote', '--symref', '--', source.remote, ...wanted], source, {
      environment,
      signal,
      timeoutMs,
    });
    const found = ref === undefined ? defaultOf(lines) : pick(lines, ref);
    if (found) return found;
    throw new DavitError(
      'git-ref-unknown',
      ref === undefined
        ? `The repository ${source.remote} has no default branch: name a branch, a tag or a commit.`
        : `The repository ${source.remote} has no branch or tag "${ref}"${/^[0-9a-f]{7,39}$/.test(ref) ? ' (a commit is named by all of its digits)' : ''}.`,
    );
  });
}

async function listed(args: string[], source: GitSource, call: Parameters<typeof runGit>[1]): Promise<string[]> {
  try {
    return (await runGit(args, call)).split('\n');
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new DavitError('git-unreachable', `The repository ${source.remote} cannot be read: ${error.said}.`);
  }
}

/** A tag as its commit is listed beside it under `^{}`. */
const patternsOf = (ref: string): string[] =>
  ref.startsWith('refs/') ? [ref, `${ref}^{}`] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/tags/${ref}^{}`];

function commitsOf(lines: readonly string[]): Map<string, string> {
  const commits = new Map<string, string>();
  for (const line of lines) {
    const [commit = '', name] = line.split('\t');
    if (name !== undefined && isCommit(commit)) commits.set(name, commit);
  }
  return commits;
}

/** As git itself looks: a branch before a tag of the same name, as whoever launches means what is being worked on. */
function pick(lines: readonly string[], ref: string): FoundCommit | undefined {
  const commits = commitsOf(lines);
  const [branch = '', ...tags] = patternsOf(ref);
  const commit = ref.startsWith('refs/')
    ? (commits.get(`${ref}^{}`) ?? commits.get(ref))
    : (commits.get(branch) ?? commits.get(tags[1] ?? '') ?? commits.get(tags[0] ?? ''));
  return commit === undefined ? undefined : { ref, commit };
}

function defaultOf(lines: readonly string[]): FoundCommit | undefined {
  const commits = commitsOf(lines);
  const named = lines
    .map((line) => /^ref: refs\/heads\/(\S+)\tHEAD$/.exec(line)?.[1])
    .find((name) => name !== undefined);
  const head = commits.get('HEAD');
  if (head !== undefined) return { ref: named ?? 'HEAD', commit: head };
  for (const branch of ['main', 'master']) {
    const commit = commits.get(`refs/heads/${branch}`);
    if (commit !== undefined) return { ref: branch, commit };
  }
  return undefined;
}
