import type { Store } from './open.js';

/** Runs the work in a transaction: the caller's, if it has one already, so that a change and its audit row stand or fall together. */
export const inTransaction = <T>(db: Store, work: (tx: Store) => Promise<T>): Promise<T> =>
  db.isTransaction ? work(db) : db.transaction().execute(work);
