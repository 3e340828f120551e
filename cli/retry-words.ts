import type { Api } from '../client/index.js';
import { retryPolicySchema } from '../domain/retry-policy.js';
import { DavitError } from '../domain/errors.js';
import { durationMsOf, durationWord } from './durations.js';

export type RetryPolicy = NonNullable<Api<'LaunchRequest'>['retry']>;
export type Timeouts = NonNullable<Api<'LaunchRequest'>['timeouts']>;

/** Retry policies and time-outs as options: `preempted=5,exit:137,143=2`, `10s..10m`, `run=2h,start=10m`. */

export interface RetryOptions {
  retry?: string;
  retryBackoff?: string;
  retryAttempt?: 'same' | 'new';
  retryRun?: 'resume' | 'new';
}

const oneCause = /([a-z-]+(?::\d{1,3}(?:,\d{1,3})*)?)=(\d+)(?:,|$)/y;

export function retryFrom(options: RetryOptions): RetryPolicy | undefined {
  const { retry, retryBackoff, retryAttempt, retryRun } = options;
  if (retry === undefined) {
    if (retryBackoff !== undefined || retryAttempt !== undefined || retryRun !== undefined)
      throw new DavitError(
        'wrong-usage',
        'Say with --retry which causes are tried again, such as --retry preempted=5.',
      );
    return undefined;
  }
  const policy: RetryPolicy = {
    causes: causesOf(retry),
    ...(retryBackoff === undefined ? {} : { backoff: backoffOf(retryBackoff) }),
    ...(retryAttempt === undefined ? {} : { attempt: retryAttempt }),
    ...(retryRun === undefined ? {} : { run: retryRun }),
  };
  const checked = retryPolicySchema.safeParse(policy);
  if (checked.success) return policy;
  const [issue] = checked.error.issues;
  throw new DavitError(
    'wrong-usage',
    `--retry: "${retry}" is no retry policy (${issue?.path.at(-1)?.toString() ?? ''}: ${issue?.message ?? ''}). Causes are preempted, agent-lost, image-pull, submit, start-timeout, exit and exit:<codes>.`,
  );
}

function causesOf(text: string): Record<string, { attempts: number }> {
  const causes: Record<string, { attempts: number }> = {};
  if (text === 'none') return causes;
  oneCause.lastIndex = 0;
  for (let at = 0; at < text.length; at = oneCause.lastIndex) {
    const found = oneCause.exec(text);
    if (found === null)
      throw new DavitError(
        'wrong-usage',
        `--retry takes causes and how often, such as preempted=5,exit:137=2 (or none), not "${text}".`,
      );
    causes[found[1] ?? ''] = { attempts: Number(found[2]) };
  }
  return causes;
}

/** `10s..10m`, `30s` (always the same), `10s..10m*3` (times three each). */
function backoffOf(text: string): { initialMs: number; maxMs: number; factor?: number } {
  const found = /^([^.*]+?)(?:\.\.([^*]+))?(?:\*(\d+(?:\.\d+)?))?$/.exec(text);
  const initialMs = durationMsOf(found?.[1] ?? '');
  const maxMs = found?.[2] === undefined ? initialMs : durationMsOf(found[2]);
  if (initialMs === undefined || maxMs === undefined || maxMs < initialMs)
    throw new DavitError(
      'wrong-usage',
      `--retry-backoff takes a range such as 10s..10m, or one pause such as 30s, not "${text}".`,
    );
  return { initialMs, maxMs, ...(found?.[3] === undefined ? {} : { factor: Number(found[3]) }) };
}

const stages = { prepare: 'prepareMs', start: 'startMs', run: 'runMs', total: 'totalMs' } as const;

/** `run=2h,start=10m`. */
export function timeoutsFrom(words: readonly string[] = []): Timeouts | undefined {
  const all = words.flatMap((word) => word.split(','));
  if (all.length === 0) return undefined;
  const timeouts: Timeouts = {};
  for (const word of all) {
    const [stage = '', text = ''] = word.split('=');
    const ms = durationMsOf(text);
    if (!Object.hasOwn(stages, stage) || ms === undefined || ms < 1)
      throw new DavitError(
        'wrong-usage',
        `--timeout takes prepare, start, run or total and a duration, such as run=2h,start=10m, not "${word}".`,
      );
    timeouts[stages[stage as keyof typeof stages]] = ms;
  }
  return timeouts;
}

export function retryWords(policy: RetryPolicy | null | undefined): string {
  const causes = Object.entries(policy?.causes ?? {}).map(([cause, { attempts }]) => `${cause}=${attempts}`);
  if (causes.length === 0) return 'never';
  const { initialMs, maxMs } = policy?.backoff ?? {};
  const pauses =
    initialMs === undefined
      ? ''
      : `, after ${durationWord(initialMs)}${maxMs === undefined || maxMs === initialMs ? '' : `..${durationWord(maxMs)}`}`;
  const how = [policy?.attempt === 'same' ? 'same attempt' : '', policy?.run === 'new' ? 'each a run of its own' : '']
    .filter((word) => word !== '')
    .map((word) => `, ${word}`);
  return `${causes.join(', ')}${pauses}${how.join('')}`;
}

export function timeoutWords(timeouts: Timeouts | null | undefined): string {
  const words = Object.entries(stages).flatMap(([stage, key]) => {
    const ms = timeouts?.[key];
    return ms === undefined ? [] : [`${stage} ${durationWord(ms)}`];
  });
  return words.length === 0 ? 'none' : words.join(', ');
}
