import { randomInt } from 'node:crypto';

/**
 * What tests draw by lot they draw from a seed that is the same for the same tree: a run elsewhere repeats what was tried here. It is varied on
 * purpose only, by `DAVIT_TEST_SEED=random` or a number; whoever draws prints it.
 */
const usual = 20_300_131;

export const testSeed = seedIn('DAVIT_TEST_SEED') ?? usual;

/** Of the tests that kill by lot, which have a variable of their own: DAVIT_FAULT_SEED. */
export const faultSeed = seedIn('DAVIT_FAULT_SEED') ?? testSeed;

function seedIn(variable: string): number | undefined {
  const given = process.env[variable] ?? '';
  if (given === '') return undefined;
  const seed = given === 'random' ? randomInt(1_000_000_000) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`${variable} is "random" or a whole number, not "${given}"`);
  return seed;
}
