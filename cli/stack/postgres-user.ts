import { chmodSync, chownSync, lchownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DavitError } from '../../domain/errors.js';
import { onPath } from './find-program.js';
import type { Home } from './home.js';
import type { Program } from './incarnation.js';
import type { PostgresPrograms } from './postgres-programs.js';
import { lastLine, run } from './run.js';

/** How PostgreSQL's programs are run, given that they refuse to run as root. */
export interface RunAs {
  kind: 'self' | 'namespace' | 'user';
  describe: string;
  wrap(program: Program): Program;
}

const nobody = 65_534;

const asSelf: RunAs = { kind: 'self', describe: 'as this user', wrap: (program) => program };

/**
 * As an ordinary user: simply. As root: in a user namespace of its own, where root is called `nobody`; the files stay
 * root's, so a data folder with mode 0700 stays as it is. Where that is forbidden (many containers): as the system's
 * user `postgres` or `nobody`, who must then be able to reach the data folder and the programs.
 */
export async function chooseRunAs(
  home: Home,
  programs: PostgresPrograms,
  env: NodeJS.ProcessEnv,
  allowed: readonly RunAs['kind'][] = ['self', 'namespace', 'user'],
): Promise<RunAs> {
  if (process.getuid?.() !== 0) return asSelf;
  const reasons: string[] = [];
  if (allowed.includes('namespace')) {
    const inNamespace = await tryNamespace(home, programs, env, reasons);
    if (inNamespace !== null) return inNamespace;
  }
  if (allowed.includes('user')) {
    for (const name of ['postgres', 'nobody']) {
      const asUser = await tryUser(name, home, programs, reasons);
      if (asUser !== null) return asUser;
    }
  }
  throw new DavitError(
    'postgres-root',
    `PostgreSQL refuses to run as root, and no other way works: ${reasons.join('; ')}.`,
  );
}

async function tryNamespace(
  home: Home,
  programs: PostgresPrograms,
  env: NodeJS.ProcessEnv,
  reasons: string[],
): Promise<RunAs | null> {
  const unshare = onPath('unshare', env)[0];
  if (unshare === undefined) {
    reasons.push('there is no unshare program');
    return null;
  }
  const runAs: RunAs = {
    kind: 'namespace',
    describe: 'in a user namespace',
    // unshare becomes the program (exec), so the pid and the signals are the program's.
    wrap: (program) => ({
      ...program,
      shownAs: [program.command, ...program.args].join(' '),
      command: unshare,
      args: ['-U', `--map-user=${nobody}`, `--map-group=${nobody}`, program.command, ...program.args],
    }),
  };
  const id = await run(runAs.wrap({ command: 'id', args: ['-u'], env: programs.env }), { timeoutMs: 10_000 });
  if (id.code !== 0 || id.stdout.trim() !== String(nobody)) {
    reasons.push(`user namespaces are not allowed here (${lastLine(id.stderr)})`);
    return null;
  }
  own(home.postgres, 0, 0);
  return runAs;
}

async function tryUser(name: string, home: Home, programs: PostgresPrograms, reasons: string[]): Promise<RunAs | null> {
  const ids = await Promise.all(
    ['-u', '-g'].map((flag) => run({ command: 'id', args: [flag, name] }, { timeoutMs: 10_000 })),
  );
  const [uid, gid] = ids.map(({ code, stdout }) => (code === 0 ? Number(stdout.trim()) : NaN));
  if (uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid)) {
    reasons.push(`there is no user ${name}`);
    return null;
  }
  // The user has to pass through the data folder to its own part of it; the other parts keep their own 0700.
  chmodSync(home.root, 0o711);
  own(home.postgres, uid, gid);
  const runAs: RunAs = { kind: 'user', describe: `as the user ${name}`, wrap: (program) => ({ ...program, uid, gid }) };
  // Spawned programs begin in their folder before they change the user, so reaching it is tried from inside.
  const outcome = await run(
    runAs.wrap({
      command: '/bin/sh',
      args: ['-c', 'cd "$0" && test -w . && exec "$1" --version', home.postgres, programs.postgres],
      env: programs.env,
      cwd: '/',
    }),
    { timeoutMs: 10_000 },
  );
  if (outcome.code === 0) return runAs;
  reasons.push(`the user ${name} cannot reach ${home.postgres} or ${programs.postgres} (${lastLine(outcome.stderr)})`);
  return null;
}

/** PostgreSQL wants to own its files; who ran it last time may have been another. */
function own(folder: string, uid: number, gid: number): void {
  if (statSync(folder).uid === uid) return;
  // The folder itself last: when this is cut short, the next start sees the old owner and does it all again.
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(folder, entry), uid, gid);
  chownSync(folder, uid, gid);
}
