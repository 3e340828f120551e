import type { TargetName } from './words.js';

/**
 * A launch request with every name looked up and every default filled in, fixed at enqueue: later changes of the queue, of an alias or of
 * the job change nothing for it. Stored with the launch and shown; no secrets.
 */
export interface ResolvedLaunch {
  entity: string;
  project: string;
  queueEntity: string;
  queue: string;
  target: TargetName;
  job: { entity: string; project: string; name: string; version: string; artifactId: number };
  runName: string;
  displayName: string | undefined;
  author: string;
  /** W3C traceparent of the request that enqueued it, when it had one. */
  traceparent?: string | undefined;
  /** Queue default with the launch's own parameters merged over it. */
  resourceConfig: Record<string, unknown>;
  /** Variables of the job that hold secrets, by name: those of the queue and the launch's own. Absent: none. */
  secrets?: Record<string, string> | undefined;
}

/** Objects merge key by key, everything else (lists too) is replaced. Neither side is changed. */
export function mergeConfig(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    // defineProperty: a key named __proto__ is data like any other.
    const next = isPlainObject(below) && isPlainObject(value) ? mergeConfig(below, value) : value;
    Object.defineProperty(merged, key, { value: next, enumerable: true, configurable: true, writable: true });
  }
  return merged;
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
