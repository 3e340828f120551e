import { sql, type RawBuilder } from 'kysely';
import { DavitError } from '../domain/errors.js';

/**
 * Pages by the last row that was shown, not by a count: they stay right while rows come and go. Rows are told apart by a whole number
 * beside what they are ordered by.
 */
export interface Order {
  expression: RawBuilder<unknown>;
  type: 'text' | 'bigint' | 'timestamptz';
  descending: boolean;
}

/** The value to select, and to give back in a cursor. Microseconds are kept: a Date would lose them. */
export const orderValue = ({ expression, type }: Order): RawBuilder<string> =>
  type === 'timestamptz'
    ? sql<string>`to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : sql<string>`(${expression})::text`;

export const orderDirection = (order: Order) => (order.descending ? ('desc' as const) : ('asc' as const));

/** Rows behind the one of this cursor. */
export function behind(order: Order, id: RawBuilder<unknown>, cursor: string): RawBuilder<boolean> {
  const [value, last] = readCursor(order, cursor);
  const type = sql.raw(order.type);
  return order.descending
    ? sql<boolean>`(${order.expression}, ${id}) < (${value}::${type}, ${last}::bigint)`
    : sql<boolean>`(${order.expression}, ${id}) > (${value}::${type}, ${last}::bigint)`;
}

export const writeCursor = (value: string, id: number): string =>
  Buffer.from(JSON.stringify([value, id])).toString('base64url');

const shapes: Record<Order['type'], RegExp> = {
  text: /^/,
  bigint: /^-?\d{1,15}$/,
  timestamptz: /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
};

function readCursor(order: Order, cursor: string): [string, number] {
  try {
    const read = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
    if (Array.isArray(read) && read.length === 2) {
      const [value, id] = read as unknown[];
      if (typeof value === 'string' && shapes[order.type].test(value) && Number.isSafeInteger(id))
        return [value, id as number];
    }
  } catch {
    // Said below.
  }
  throw new DavitError('invalid-request', `"${cursor.slice(0, 100)}" is not a cursor of this list.`);
}
