import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Schema } from './schema.js';

export type Store = Kysely<Schema>;

export interface StoreOptions {
  databaseUrl: string;
  /** Connections of this process. */
  maxConnections: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  onError(error: Error): void;
}

/**
 * A pool on PostgreSQL. Connections that break (server killed, failed over) are dropped from the pool and made anew by the next query;
 * what the pool reports in between must not end the process, hence `onError`.
 */
export function openStore(options: StoreOptions): { db: Store; pool: pg.Pool; close(): Promise<void> } {
  const types = {
    getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
      // int8: every bigint of ours stays below 2^53.
      oid === 20 && format !== 'binary'
        ? Number
        : (pg.types.getTypeParser(oid, format) as unknown)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.maxConnections,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // A server that vanished without closing its sockets must not hang a request for ever.
    query_timeout: 60_000,
    keepAlive: true,
    types,
  });
  pool.on('error', options.onError);
  // The pool hears errors of idle connections only; one that breaks in the middle of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', options.onError));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { db, pool, close: () => db.destroy() };
}

/** Is this error the database being away (as opposed to a statement being wrong)? Then the caller may try again. */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: string }).code ?? '';
  if (/^(08|57P0|53300)/.test(code)) return true;
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error/.test(
    error.message,
  );
}
