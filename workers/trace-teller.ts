import type { Logger } from 'pino';
import { priorityOfNumber } from '../domain/words.js';
import { takeEnds } from '../store/launch-ends.js';
import { storiesOf, type StoredStory } from '../store/launch-story.js';
import type { Store } from '../store/open.js';
import { spansOf, type LaunchStory } from '../telemetry/launch-spans.js';
import { traceOfLaunch } from '../telemetry/trace-context.js';
import type { Tracing } from '../telemetry/tracing.js';
import { inTurns } from './in-turns.js';

/** Fewer spans than OpenTelemetry sends of itself in between: what was sent is then known when the flush ends. */
const launchesAtOnce = 40;

/**
 * Tells the traces of launches that have ended, from what the store recorded of them: whoever worked on a launch may have died on the way.
 * How far it came is remembered in the store and moved only when the collector has the spans; told twice, a span has the same ids. Any number
 * of control workers may run this, one at a time tells.
 */
export function tellTraces(options: { db: Store; tracing: Tracing; log: Logger }): { stop(): Promise<void> } {
  const { db, tracing, log } = options;

  const tell = async (launchIds: readonly string[]): Promise<void> => {
    for (const stored of await storiesOf(db, launchIds)) {
      const { traceId, parent } = traceOfLaunch(stored.id, stored.traceparent ?? undefined);
      if (!(parent?.sampled ?? tracing.samples(traceId))) continue;
      for (const span of spansOf(storyOf(stored))) tracing.record(span);
    }
    await tracing.flush();
  };

  return inTurns(() => takeEnds(db, 'traces', launchesAtOnce, tell), {
    pauseMs: 1_000,
    log,
    failing: 'traces of launches cannot be told now; they are kept for a day',
    wellAgain: 'traces of launches are told again',
  });
}

const storyOf = (stored: StoredStory): LaunchStory => ({
  ...stored,
  traceparent: stored.traceparent ?? undefined,
  priority: priorityOfNumber(stored.priority),
  exitCode: stored.exitCode ?? undefined,
  failure: stored.failure ?? undefined,
  createdAtMs: stored.createdAt.getTime(),
  endedAtMs: stored.endedAt.getTime(),
  events: stored.events.map(({ at, ...event }) => ({ ...event, atMs: Date.parse(at) })),
});
