import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { Logger } from 'pino';

export interface TemporalTarget {
  /** host:port */
  address: string;
  namespace: string;
  tls?: ConnectionOptions['tls'] | undefined;
  apiKey?: string | undefined;
}

/** The channel's own patience grows to two minutes; launches that wait would wait as long after Temporal is back. */
const reconnectSoon = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

/**
 * A client that is made when it is first needed and made anew after it could not be: the API starts, accepts and answers while Temporal is
 * away. Every call has a short deadline; who calls has a row that stays due.
 */
export function lazyTemporal(target: TemporalTarget, log: Logger) {
  let pending: Promise<Client> | undefined;
  let open: Connection | undefined;

  async function connect(): Promise<Client> {
    const { address, namespace, tls, apiKey } = target;
    const connection = await Connection.connect({
      address,
      connectTimeout: '3 seconds',
      channelArgs: reconnectSoon,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    open = connection;
    log.info({ temporal: address, namespace }, 'connected to Temporal');
    return new Client({ connection, namespace });
  }

  return {
    target,
    /** The client; rejects while Temporal cannot be reached. */
    get(): Promise<Client> {
      pending ??= connect().catch((error: unknown) => {
        pending = undefined;
        throw error;
      });
      return pending;
    },
    async close(): Promise<void> {
      await open?.close().catch(() => undefined);
    },
  };
}
export type LazyTemporal = ReturnType<typeof lazyTemporal>;
