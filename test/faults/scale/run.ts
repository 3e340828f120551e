import { expect, test } from 'vitest';
import { isAllWell, reportOf } from './report.js';
import { storm } from './storm.js';

/** `npm run test:faults`; the script gives its arguments as variables. */
test('whoever is killed when, nothing is lost, doubled, leaked or out of order', async () => {
  const seed = Number(process.env['DAVIT_FAULTS_SEED']);
  const minutes = process.env['DAVIT_FAULTS_MINUTES'];
  // Straight to the terminal: the runner would keep it until the end.
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const result = await storm({
      seed,
      size: 'full',
      target: process.env['DAVIT_FAULTS_TARGET'] === 'docker' ? 'docker' : 'process',
      launches: Number(process.env['DAVIT_FAULTS_LAUNCHES']),
      ...(minutes === undefined ? {} : { minutes: Number(minutes) }),
      say,
    });
    say(['', ...reportOf(result), ''].join('\n'));
    expect(isAllWell(result)).toBe(true);
  } catch (error) {
    say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    say(`again with the same choices: npm run test:faults -- --seed ${seed}`);
    throw error;
  }
});
