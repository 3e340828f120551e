import { createHash } from 'node:crypto';

/**
 * Who belongs to which trace, and the names of a launch's own spans. Both are functions of the launch: whoever tells a part of its story, in
 * whatever process and how often, tells it under the same ids, and a part can name another that is told later (or by nobody, because it died).
 */

export interface TraceContext {
  traceId: string;
  spanId: string;
  sampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** A W3C `traceparent`; undefined when there is none, or one that the standard says to ignore. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, version, traceId, spanId, flags, rest] = pattern.exec(text?.trim() ?? '') ?? [];
  if (!version || !traceId || !spanId || !flags || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceparent = ({ traceId, spanId, sampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The trace of a launch that came without one: `printf %s LAUNCH | sha256sum | cut -c1-32`. */
export const traceIdOf = (launchId: string): string => digest(launchId).slice(0, 32);

/** The parts of a launch's story. With an epoch: once for each claim. */
export type LaunchPart = 'launch' | 'end' | `${'waiting' | 'attempt' | AttemptPart}/${number}`;
export type AttemptPart = 'claim' | 'prepare' | 'submit' | 'start' | 'run' | 'stop';

export const spanIdOf = (launchId: string, part: LaunchPart): string => digest(`${launchId} ${part}`).slice(0, 16);

/** The trace that a launch belongs to: that of whoever enqueued it, or its own. */
export function traceOfLaunch(
  launchId: string,
  traceparent: string | undefined,
): { traceId: string; parent: TraceContext | undefined } {
  const parent = parseTraceparent(traceparent);
  return { traceId: parent?.traceId ?? traceIdOf(launchId), parent };
}
