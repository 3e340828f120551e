import { expect, test } from 'vitest';
import { faultSeed as seed } from '../support/seed.js';
import { isAllWell, reportOf } from './scale/report.js';
import { storm } from './scale/storm.js';

/** The long run is `npm run test:faults`; a seed repeats the choices, not the machine's timing. */
test(
  `kill -9 before and after every named step costs nothing but time (seed ${seed})`,
  { timeout: 1_200_000 },
  async () => {
    const said: string[] = [];
    const result = await storm({ seed, size: 'short', launches: 150, say: (line) => said.push(line) });
    const report = reportOf(result).join('\n');
    console.log(report);
    expect(isAllWell(result), [...said, report].join('\n')).toBe(true);
  },
);
