// What the scripts share. Plain Node: they run before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends with a sentence when this Node is too old for what follows. */
export function needNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace(/^\D+/, '');
  const [wantMajor, wantMinor] = wanted.split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  console.error(
    `Davit needs Node ${wanted} or later; this is ${process.versions.node}. Get one from https://nodejs.org.`,
  );
  process.exit(2);
}

/** Are the packages of the lock file installed, for this machine? npm notes what it installed in a lock file of its own. */
export function hasPackages() {
  const noted = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(noted)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const there = JSON.parse(readFileSync(noted, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    // Packages for other systems are left out rightly.
    if (there[path] === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return there[path].version === entry.version;
  });
}

/**
 * Installs the npm packages when they are missing or others than the lock file says. Not by `npm ci`: it refuses a lock file that lacks the
 * optional packages of some other system, and a lock file can hold those only that the registry had for whoever wrote it. `install` takes the
 * versions of the lock file too, and without saving leaves it as it is.
 */
export function installPackages() {
  if (hasPackages()) return;
  console.error('Installing npm packages …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status === 0) return;
  console.error(`npm install failed${error ? ` (${error.message})` : ''}; its output is above.`);
  process.exit(1);
}

/** Runs a Node script of the project to its end; its exit code. */
export function runNode(args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? code : 128));
  });
}

/** Runs any program and keeps what it prints. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let output = '';
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 127, stdout, output: output + error.message }));
    child.once('close', (code) => resolve({ code: code ?? 128, stdout, output }));
  });
}

/** What the programs of a package are called in node_modules, run by this Node without a shell. */
export function programOf(packageName, program = packageName) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[program]);
}
