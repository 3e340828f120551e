import { z } from 'zod';
import { DavitError } from '../../domain/errors.js';
import { nameSchema } from '../../domain/ids.js';

/** Shapes that many routes share. Times are ISO 8601 in UTC; ids and cursors are opaque. */

export const timeSchema = z.iso.datetime();
export const timeOf = (date: Date): string => date.toISOString();
export const maybeTime = (date: Date | null): string | null => date?.toISOString() ?? null;

export const entityParams = z.strictObject({ entity: nameSchema });

/** `12` from a query string; refuses what is not a whole number in range. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** `a,b,c`, each checked by the schema. */
export const commaList = <T extends z.ZodType<unknown, string>>(item: T, max = 50) =>
  z
    .string()
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .pipe(z.array(item).min(1).max(max));

export const timeText = z.iso
  .datetime({ offset: true, error: 'must be a time like 2026-01-31T12:00:00Z' })
  .transform((text) => new Date(text));

export const pageQuery = {
  cursor: z.string().max(500).optional().describe('`nextCursor` of the page before.'),
  limit: wholeNumber(1, 200).optional().describe('Items a page, 1 to 200; default 50.'),
};
export const defaultLimit = 50;

export const pageOf = <T extends z.ZodType>(item: T, id: string) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() }).meta({ id });

/** A page from one row more than the limit. */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  cursorOf: (row: Row) => unknown,
): { items: Item[]; nextCursor?: string } {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    items: items.map(toItem),
    ...(last === undefined ? {} : { nextCursor: encodeCursor(cursorOf(last)) }),
  };
}

const encodeCursor = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Cursors are opaque to clients, so whatever else comes in one is a mistake of the client. */
export function readCursor<T extends z.ZodType>(schema: T, cursor: string | undefined): z.output<T> | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new DavitError('invalid-request', 'query.cursor: is not a cursor of this list', {
      errors: [{ path: 'query.cursor', message: 'is not a cursor of this list' }],
    });
  }
}
export const nameCursor = z.string();
export const pairCursor = z.tuple([z.string(), z.string()]);
