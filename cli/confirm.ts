import { createInterface } from 'node:readline/promises';
import { DavitError } from '../domain/errors.js';
import { exitCodes } from './output/exit-codes.js';

/**
 * Asks before something that touches many launches. Without a terminal there is nobody to ask: then --yes has to be said. False: they said no,
 * and the exit code says that nothing was done.
 */
export async function confirmed(question: string, options: { yes?: boolean; json?: boolean }): Promise<boolean> {
  if (options.yes === true) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY || options.json === true)
    throw new DavitError('wrong-usage', `${question} There is nobody to ask: say --yes, or look first with --dry-run.`);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return true;
  } catch {
    // Ctrl-C or Ctrl-D at the question.
    process.stderr.write('\n');
  } finally {
    reader.close();
  }
  process.stderr.write('Nothing was changed.\n');
  process.exitCode = exitCodes.interrupted;
  return false;
}
