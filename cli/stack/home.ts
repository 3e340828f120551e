import { accessSync, chmodSync, constants, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DavitError } from '../../domain/errors.js';
import { isErrno } from './files.js';

/** The data folder: everything of an embedded stack that has to survive lies in here. */
export interface Home {
  root: string;
  /** The database cluster. */
  postgres: string;
  /** Temporal's database file, and the link to its program. */
  temporal: string;
  /** Files, artifacts and logs of runs. */
  blobs: string;
  /** Folders of the jobs of the process target. */
  work: string;
  /** What the parts of the stack print. */
  logs: string;
  /** The lock, the ports, and who runs at present. */
  run: string;
  /** Secrets, a file each, mode 0600. */
  keys: string;
  /** What is needed only for a while, a folder for each process, which empties it when it starts. */
  tmp: string;
}

const folders = ['postgres', 'temporal', 'blobs', 'work', 'logs', 'run', 'keys', 'tmp'] as const;

export function defaultHome(env: NodeJS.ProcessEnv): string {
  const named = env['DAVIT_HOME'];
  return named === undefined || named === '' ? join(homedir(), '.davit') : resolve(named);
}

export function homeAt(root: string): Home {
  const at = (name: (typeof folders)[number]) => join(root, name);
  return {
    root,
    postgres: at('postgres'),
    temporal: at('temporal'),
    blobs: at('blobs'),
    work: at('work'),
    logs: at('logs'),
    run: at('run'),
    keys: at('keys'),
    tmp: at('tmp'),
  };
}

/** Makes what is missing of the data folder, and proves that it can be written. */
export function openHome(path: string): Home {
  try {
    makeFolder(path);
    // One true path: the command lines of children are compared with it after a crash.
    const home = homeAt(realpathSync(path));
    for (const folder of folders) {
      makeFolder(join(home.root, folder));
      accessSync(join(home.root, folder), constants.R_OK | constants.W_OK | constants.X_OK);
    }
    chmodSync(home.keys, 0o700);
    const probe = join(home.run, `.probe.${process.pid}`);
    // By effect as well: a read-only or full disk passes every look at permissions.
    writeFileSync(probe, 'x');
    rmSync(probe);
    return home;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DavitError('home-not-writable', `The data folder ${path} cannot be written: ${reason}.`, {
      extra: { home: path },
      cause: error,
    });
  }
}

/** Not Node's own recursive mkdir: that never returns where a file system answers ENOENT below a folder that exists (/proc). */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    const parent = dirname(path);
    if (!isErrno(error, 'ENOENT') || existsSync(parent)) throw error;
    makeFolder(parent);
    makeFolder(path);
  }
}
