import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { isAllWell, reportOf } from './scale/report.js';
import { storm } from './scale/storm.js';

/** The long run is `npm run test:faults`; a seed repeats the choices, not the machine's timing. */
const seed = Number(process.env['DAVIT_FAULT_SEED'] ?? randomInt(1_000_000));

test(
  `kill -9 before and after every named step costs nothing but time (seed ${seed})`,
  { timeout: 600_000 },
  async () => {
    const said: string[] = [];
    const result = await storm({ seed, size: 'short', launches: 150, say: (line) => said.push(line) });
    const report = reportOf(result).join('\n');
    console.log(report);
    expect(isAllWell(result), [...said, report].join('\n')).toBe(true);
  },
);
