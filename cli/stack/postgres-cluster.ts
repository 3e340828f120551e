import { chownSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DavitError } from '../../domain/errors.js';
import { readIfThere, writeSynced, writeWhole } from './files.js';
import type { Home } from './home.js';
import type { PostgresPrograms } from './postgres-programs.js';
import type { RunAs } from './postgres-user.js';
import { lastLine, run } from './run.js';

export const superuser = 'davit';

const dataFolder = (home: Home) => join(home.postgres, 'data');
const keyFile = (home: Home) => join(home.keys, 'postgres');
const halfMade = /^data\.new\./;

export interface Cluster {
  folder: string;
  password: string;
  made: boolean;
}

/** The major version that made the cluster, or null before the first start. */
export function clusterMajor(home: Home): number | null {
  const text = readIfThere(join(dataFolder(home), 'PG_VERSION'));
  return text === null ? null : Number(text.trim());
}

/**
 * Opens the cluster, or makes it: under another name first, renamed when it is whole. A start that is killed in the
 * middle leaves a half-made folder, which the next one throws away.
 */
export async function openCluster(
  home: Home,
  programs: PostgresPrograms,
  runAs: RunAs,
  signal?: AbortSignal,
): Promise<Cluster> {
  const folder = dataFolder(home);
  const kept = readIfThere(keyFile(home));
  if (existsSync(folder)) {
    if (kept === null) {
      throw new DavitError(
        'postgres-failed',
        `The database in ${folder} has lost its password: ${keyFile(home)} is missing.`,
      );
    }
    return { folder, password: kept.trim(), made: false };
  }
  const password = kept?.trim() ?? randomBytes(24).toString('base64url');
  // The password is kept before the cluster that needs it exists.
  if (kept === null) writeWhole(keyFile(home), `${password}\n`);
  for (const name of readdirSync(home.postgres).filter((entry) => halfMade.test(entry))) {
    rmSync(join(home.postgres, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  const fresh = join(home.postgres, `data.new.${randomBytes(4).toString('hex')}`);
  await initdb(home, programs, runAs, fresh, password, signal);
  renameSync(fresh, folder);
  return { folder, password, made: true };
}

async function initdb(
  home: Home,
  programs: PostgresPrograms,
  runAs: RunAs,
  folder: string,
  password: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // By name, not by inherited handle: initdb opens it itself, as the user that it runs as.
  const passwordFile = `${folder}.password`;
  writeSynced(passwordFile, `${password}\n`);
  try {
    giveTo(runAs, passwordFile);
    const outcome = await run(
      runAs.wrap({
        command: programs.initdb,
        args: [
          ...['-D', folder, '-U', superuser, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
          // The same order of strings on every machine, whatever its locale; built in from 17 on, with Unicode case.
          ...['--encoding=UTF8', '--data-checksums', '--no-instructions'],
          ...(programs.major >= 17
            ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
            : ['--locale=C']),
        ],
        env: programs.env,
        cwd: home.postgres,
      }),
      { timeoutMs: 120_000, ...(signal === undefined ? {} : { signal }) },
    );
    if (outcome.code !== 0) {
      const said = lastLine(outcome.stderr);
      throw new DavitError('postgres-failed', `The database could not be made in ${home.postgres}: ${said}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function giveTo(runAs: RunAs, file: string): void {
  const { uid, gid } = runAs.wrap({ command: '', args: [] });
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
}
