import { realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { LaunchError, type Stage } from '../../domain/errors.js';
import { findProgram, isExecutable } from './keeper.js';
import { orUndefined } from './layout.js';

export interface EntryPointContext {
  stage: Stage;
  codeFolder: string;
  python: string | undefined;
  path: string;
}

interface Entry {
  command: readonly string[];
  workingDir: string;
}

/**
 * `python`, `python3`, `python3.11`, and what the wandb client records from an interpreter's own words: `pythonCPython 3.11`, in one string
 * or in two. Returns the arguments and the version asked for; undefined when the command is another program.
 */
export function pythonCommand(command: readonly string[]): { args: string[]; version: string | undefined } | undefined {
  const [program = '', ...args] = command;
  const match = /^python\s?(?:CPython)?\s?([0-9]+(?:\.[0-9]+)*)?$/i.exec(program);
  if (!match) return undefined;
  let version = match[1];
  if (version === undefined && /CPython$/i.test(program) && /^[0-9]+(\.[0-9]+)+$/.test(args[0] ?? ''))
    version = args.shift();
  const minor = /^3\.[0-9]+/.exec(version ?? '')?.[0];
  return { args, version: minor };
}

/** Program and arguments as the machine can start them, or the error that says why not, before anything is started. */
export async function resolveCommand(
  entry: Entry,
  context: EntryPointContext,
): Promise<{ command: string[]; workingFolder: string }> {
  const workingFolder = await resolveWorkingFolder(entry.workingDir, context);
  const [program, ...args] = entry.command;
  if (program === undefined || program.trim() === '') {
    throw new LaunchError('missing-entry-point', context.stage, 'The job has no entry point: its command is empty.');
  }
  const python = pythonCommand(entry.command);
  if (python) {
    await checkScript(scriptOfPython(python.args), workingFolder, context);
    if (context.python === undefined) throw new LaunchError('python-missing', context.stage);
    return { command: [context.python, ...python.args], workingFolder };
  }
  if (/^(ba|da|z|k)?sh$/.test(basename(program))) await checkScript(scriptOfShell(args), workingFolder, context);
  return { command: [await resolveProgram(program, workingFolder, context), ...args], workingFolder };
}

async function resolveWorkingFolder(workingDir: string, context: EntryPointContext): Promise<string> {
  const folder = resolve(context.codeFolder, workingDir);
  const real = await orUndefined(realpath(folder));
  const root = await realpath(context.codeFolder);
  if (real === undefined || !isInside(root, real) || !(await stat(real)).isDirectory()) {
    throw new LaunchError(
      'missing-entry-point',
      context.stage,
      `The working folder "${workingDir}" is not a folder of the job's code.`,
    );
  }
  return real;
}

async function resolveProgram(program: string, workingFolder: string, context: EntryPointContext): Promise<string> {
  if (program.includes('/')) {
    const file = resolve(workingFolder, program);
    const found = await orUndefined(stat(file));
    if (!found?.isFile())
      throw new LaunchError('command-not-found', context.stage, `The program "${program}" does not exist.`);
    if (!(await isExecutable(file))) {
      throw new LaunchError('command-not-found', context.stage, `"${program}" is not executable; ${advice(program)}`);
    }
    return file;
  }
  const found = await findProgram(program, context.path);
  if (found !== undefined) return found;
  if ((await orUndefined(stat(join(workingFolder, program)))) !== undefined) {
    throw new LaunchError(
      'command-not-found',
      context.stage,
      `"${program}" is a file of the job, not a program; ${advice(program)}`,
    );
  }
  throw new LaunchError('command-not-found', context.stage, `The program "${program}" was not found on this machine.`);
}

const advice = (file: string): string =>
  file.endsWith('.py')
    ? `use "python ${file}".`
    : `use "sh ${file}", or make it executable and use "./${basename(file)}".`;

async function checkScript(
  script: string | undefined,
  workingFolder: string,
  context: EntryPointContext,
): Promise<void> {
  if (script === undefined) return;
  const file = resolve(workingFolder, script);
  const root = await realpath(context.codeFolder);
  if (!isAbsolute(script) && !isInside(root, file)) {
    throw new LaunchError(
      'missing-entry-point',
      context.stage,
      `The entry point "${script}" lies outside the job's code.`,
    );
  }
  if ((await orUndefined(stat(file))) === undefined) {
    const where = relative(root, workingFolder);
    throw new LaunchError(
      'missing-entry-point',
      context.stage,
      `The entry point "${script}" is not in the job's code${where === '' ? '' : ` (looked in its folder "${where}")`}.`,
    );
  }
}

const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
};

/** The file that an interpreter would run; undefined for -c, -m, standard input and what we do not know. */
function scriptOfPython(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('-')) return arg;
    if (arg === '--') return args[at + 1];
    if (arg === '-' || /^-[A-Za-z]*[cm]/.test(arg)) return undefined;
    if (/^-[A-Za-z]*[XW]$/.test(arg) || arg === '--check-hash-based-pycs') at += 1;
  }
  return undefined;
}

function scriptOfShell(args: readonly string[]): string | undefined {
  const [first] = args;
  return first === undefined || first.startsWith('-') ? undefined : first;
}
