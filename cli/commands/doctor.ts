import type { Command } from 'commander';
import { checkPostgres, checkTemporal } from '../doctor/backends.js';
import { missing } from '../doctor/check.js';
import type { Check } from '../doctor/check.js';
import { checkFolder, checkNode, checkPorts, checkPython } from '../doctor/machine.js';
import { checkStack } from '../doctor/stack.js';
import { exitCodes } from '../output/exit-codes.js';
import { Output } from '../output/output.js';
import { plain } from '../output/terminal.js';
import { defaultHome, homeAt } from '../stack/home.js';
import { version } from '../version.js';

export function defineDoctor(command: Command): void {
  command.option('--json', 'as JSON').action(async (options: { json?: boolean }) => {
    const { env } = process;
    const home = homeAt(defaultHome(env));
    const checks = (
      await Promise.all([
        one('node', () => [checkNode()]),
        one('python', () => checkPython(env)),
        one('temporal', async () => [await checkTemporal(env, home)]),
        one('postgresql', async () => [await checkPostgres(env, home)]),
        one('data folder', () => checkFolder(home)),
        one('ports', () => checkPorts(home)),
        one('stack', () => checkStack(env)),
      ])
    ).flat();
    const isWell = checks.every(({ status }) => status !== 'missing');
    const out = new Output(options.json === true);
    out.result({ version, ok: isWell, checks }, () => wordsOf(checks, out));
    if (!isWell) process.exitCode = exitCodes.failed;
  });
}

/** A check that breaks is a finding, not the end of the others. */
async function one(name: string, check: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await check();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fix =
      error instanceof Error && 'entry' in error ? (error.entry as { fix: string }).fix : 'See the sentence above.';
    return [missing(name, reason, fix)];
  }
}

function wordsOf(checks: readonly Check[], out: Output): string {
  const { colors } = out;
  const marks = { ok: colors.green('ok     '), note: colors.yellow('note   '), missing: colors.red('missing') };
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const lines = checks.map(({ name, status, text, fix }) => {
    const line = `${marks[status]}  ${name.padEnd(width)}${plain(text)}`;
    return fix === undefined ? line : `${line}\n${' '.repeat(width + 9)}${colors.bold(plain(fix))}`;
  });
  return [`Davit ${version}`, ...lines].join('\n');
}
