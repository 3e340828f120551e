import type { RequestHandler } from 'express';
import { DavitError } from '../domain/errors.js';

/** An API answers data: nothing it sends is to be shown as a page, framed or guessed at. */
export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  next();
};

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * On loopback, a web page could make a browser reach this API by a name of its own that it lets resolve to 127.0.0.1 (DNS rebinding). The
 * Host header then still has that name. Undefined names = any host, for APIs that are meant to be reached from elsewhere.
 */
export function hostCheck(publicUrl: string, listenHost: string): RequestHandler {
  if (!isLoopbackHost(listenHost)) return (_req, _res, next) => next();
  const allowed = new Set([...loopbackNames, hostnameOf(new URL(publicUrl).host)]);
  return (req, _res, next) => {
    const host = hostnameOf(req.headers.host ?? '');
    if (allowed.has(host)) next();
    else
      next(
        new DavitError('wrong-host', `This API listens on loopback and does not answer for "${host.slice(0, 100)}".`),
      );
  };
}

export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Without the port; an IPv6 address keeps its brackets. */
const hostnameOf = (host: string): string => host.toLowerCase().replace(/:\d{1,5}$/, '');
