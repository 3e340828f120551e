import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** All programs of that name on PATH, in its order. */
export function onPath(name: string, env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).filter(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a server needs of our environment: enough to run, nothing secret. */
export function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TZ',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'LD_LIBRARY_PATH',
    'DYLD_LIBRARY_PATH',
  ];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
