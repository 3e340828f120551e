import { claim } from './0003-order/claim.js';
import { columns } from './0003-order/columns.js';
import { counters } from './0003-order/counters.js';
import { operations } from './0003-order/operations.js';
import { pick } from './0003-order/pick.js';

/**
 * The line as a product: limits, fair shares, required labels, hold, move, priorities, transfer, time-to-live, counters that answer a position
 * in a line of a million. The same rules as in migration 0002 hold: every function is one transaction under the line's lock.
 */
export const name = '0003-order';

export const up = [columns, counters, pick, claim, operations].join('\n');
