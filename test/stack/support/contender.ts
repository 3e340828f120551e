import { takeLock } from '../../../cli/stack/lock.js';

/** Contends for the lock of a folder and says how it went; a winner holds it until it is ended. */
const [folder = ''] = process.argv.slice(2);
try {
  takeLock(folder);
  process.stdout.write('held\n');
  setInterval(() => undefined, 1_000);
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code ?? 'defect'}: ${(error as Error).message}\n`);
}
