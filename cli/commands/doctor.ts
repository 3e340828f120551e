import type { Command } from 'commander';
import type { Check } from '../doctor/check.js';
import { exitCodes } from '../output/exit-codes.js';
import { Output } from '../output/output.js';
import { plain } from '../output/terminal.js';
import { version } from '../version.js';

export function defineDoctor(command: Command): void {
  command.option('--json', 'as JSON').action(async (options: { json?: boolean }) => {
    // Loaded here, so that the other commands need not wait for it.
    const { examine } = await import('../doctor/examine.js');
    const checks = await examine(process.env);
    const isWell = checks.every(({ status }) => status !== 'missing');
    const out = new Output(options.json === true);
    out.result({ version, ok: isWell, checks }, () => wordsOf(checks, out));
    if (!isWell) process.exitCode = exitCodes.failed;
  });
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
