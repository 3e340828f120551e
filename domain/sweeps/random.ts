import { nested, type Assignment } from './assignment.js';
import { quantile } from './distribution.js';
import type { Parameter } from './parameters.js';

/** Uniform in [0, 1). */
export type Random = () => number;

/** Independent draws. */
export const drawAssignment = (parameters: readonly Parameter[], random: Random): Assignment =>
  nested(
    parameters.map(({ path, distribution }) => [
      path,
      distribution.kind === 'constant' ? distribution.value : quantile(distribution, random()),
    ]),
  );
