import type { Request } from 'express';

/**
 * Scheme, host and port to put into addresses that this client will use without asking (uploads, downloads).
 *
 * A public address that is reachable from elsewhere always wins: behind a proxy the request says nothing reliable. One on loopback (or
 * "any address") was not chosen for anybody else, so the client's own way to us is better: a container reaches us by the address of a bridge. Which way that was is read from
 * the Host header only where it can be trusted (a loopback name, or the very address the connection came to), else from the connection
 * itself, which nobody can forge.
 */
export function originOf(req: Request, publicUrl: string): string {
  if (!isLocal(new URL(publicUrl).hostname)) return publicUrl;
  const { localAddress, localPort } = req.socket;
  const local = localAddress?.replace(/^::ffff:(?=\d+\.)/, '');
  const asked = hostOf(req.headers.host);
  if (asked && (isLoopback(asked.hostname) || bare(asked.hostname) === local)) return `http://${asked.host}`;
  if (local === undefined || localPort === undefined) return publicUrl;
  return `http://${local.includes(':') ? `[${local}]` : local}:${localPort}`;
}

function hostOf(header: string | undefined): URL | undefined {
  if (header === undefined || !/^[A-Za-z0-9.:[\]-]+$/.test(header)) return undefined;
  try {
    return new URL(`http://${header}`);
  } catch {
    return undefined;
  }
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname.endsWith('.localhost') ||
  /^127(\.\d{1,3}){3}$/.test(hostname) ||
  bare(hostname) === '::1';

/** 0.0.0.0 and :: are where to listen, not where to go. */
const isLocal = (hostname: string): boolean => isLoopback(hostname) || ['0.0.0.0', '::'].includes(bare(hostname));
