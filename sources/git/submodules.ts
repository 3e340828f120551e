import { join } from 'node:path';
import { LaunchError } from '../../domain/errors.js';
import { gitRemoteProblem } from '../../domain/git-remote.js';
import type { GitSource } from './access.js';
import { failedAs, runGit, type GitCall } from './run.js';

const maxDepth = 8;
const maxCount = 500;

/**
 * Fetches the submodules of what is checked out in the folder of the call, one level after another: where one lies is known when the one
 * above it is there, and only git itself knows what a relative address comes to. `look` is called after each level.
 */
export async function fetchSubmodules(
  { remote, allowed }: GitSource,
  call: GitCall & { folder: string },
  look: () => Promise<void>,
): Promise<void> {
  const fetched = failedAs(
    (said) => new LaunchError('git-unreachable', 'prepare', `A submodule of ${remote} cannot be fetched: ${said}.`),
  );
  let level = [call.folder];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    const below: string[] = [];
    for (const folder of level) {
      const here = { ...call, folder };
      const urls = await fetched(urlsOf(here));
      count += urls.length;
      if (urls.length > 0 && (depth === maxDepth || count > maxCount))
        throw new LaunchError(
          'code-invalid',
          'prepare',
          `The code of ${remote} cannot be used: it has more than ${maxCount} submodules, or more than ${maxDepth} levels of them.`,
        );
      for (const url of urls) {
        const problem = gitRemoteProblem(url, allowed);
        if (problem !== undefined)
          throw new LaunchError('git-refused', 'prepare', `A submodule of ${remote}: ${problem}`);
      }
      if (urls.length === 0) continue;
      await fetched(runGit(['submodule', '--quiet', 'update'], here));
      const paths = await fetched(runGit(['submodule', '--quiet', 'foreach', 'printf "%s\\0" "$sm_path"'], here));
      below.push(...words(paths).map((path) => join(folder, path)));
    }
    await look();
    level = below;
  }
}

/** Where the submodules lie, relative addresses worked out: what git will ask. */
async function urlsOf(call: GitCall): Promise<string[]> {
  await runGit(['submodule', '--quiet', 'init'], { ...call, onLog: undefined });
  const settings = words(await runGit(['config', '--local', '--null', '--list'], call));
  return settings.flatMap((setting) => {
    const [key = '', ...value] = setting.split('\n');
    return /^submodule\..*\.url$/.test(key) ? [value.join('\n')] : [];
  });
}

const words = (text: string): string[] => text.split('\0').filter((one) => one !== '');
