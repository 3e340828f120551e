import type { Response } from 'express';
import { DavitError } from '../../domain/errors.js';

const maxKeys = 10_000;

/**
 * A bucket of one second's requests per key, refilled evenly. In this process only: N API processes allow N times as much, which is enough
 * against a program that runs wild and needs no shared state.
 */
export function createRateLimit(requestsPerSecond: number | undefined): (keyId: string, res: Response) => void {
  if (requestsPerSecond === undefined) return () => undefined;
  const buckets = new Map<string, { left: number; atMs: number }>();
  return (keyId, res) => {
    const nowMs = Date.now();
    let bucket = buckets.get(keyId);
    if (!bucket) {
      if (buckets.size >= maxKeys) buckets.clear();
      buckets.set(keyId, (bucket = { left: requestsPerSecond, atMs: nowMs }));
    }
    bucket.left = Math.min(requestsPerSecond, bucket.left + ((nowMs - bucket.atMs) / 1000) * requestsPerSecond);
    bucket.atMs = nowMs;
    if (bucket.left < 1) {
      res.setHeader('Retry-After', '1');
      throw new DavitError('rate-limited', `This key may send ${requestsPerSecond} requests a second.`);
    }
    bucket.left -= 1;
  };
}
