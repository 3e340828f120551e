import type { LaunchState } from '../domain/words.js';
import { spanIdOf, traceOfLaunch, type AttemptPart, type LaunchPart } from './trace-context.js';
import type { SpanAttributes, SpanFacts } from './tracing.js';

/** A launch that has ended, as it is recorded. */
export interface LaunchStory {
  id: string;
  /** As it came with the request that enqueued it. */
  traceparent: string | undefined;
  entity: string;
  project: string;
  queueEntity: string;
  queue: string;
  target: string;
  job: string;
  priority: string;
  attempt: number;
  state: LaunchState;
  exitCode: number | undefined;
  failure: { code: string; stage: string; fault: string } | undefined;
  createdAtMs: number;
  endedAtMs: number;
  events: readonly StoryEvent[];
}

export interface StoryEvent {
  /** `line`, `workflow`, `agent:<claim>`. */
  writer: string;
  n: number;
  atMs: number;
  type: string;
  data: Readonly<Record<string, unknown>>;
}

/** What an agent reports, as the part of an attempt that begins with it. */
const partOf: Readonly<Record<string, AttemptPart>> = {
  preparing: 'prepare',
  submitting: 'submit',
  starting: 'start',
  running: 'run',
  stopping: 'stop',
};
const ends: readonly string[] = ['finished', 'failed', 'stopped'];

/**
 * The spans of a launch, from the story that the store has of it: the whole (`launch`), each time it waited, each attempt under a claim with
 * its parts, and its end. Parts follow each other without gaps. Times are made to fit: agents have clocks of their own, and a span may neither
 * begin before what led to it nor end before it began.
 */
export function spansOf(story: LaunchStory): SpanFacts[] {
  const { traceId, parent } = traceOfLaunch(story.id, story.traceparent);
  // Whoever calls this has decided that the trace is kept; what hangs below the launch is kept with it.
  const sampled = true;
  const common: SpanAttributes = {
    'davit.launch.id': story.id,
    'davit.queue': `${story.queueEntity}/${story.queue}`,
    'davit.target': story.target,
  };
  const spans: SpanFacts[] = [];
  const open = new Map<
    LaunchPart,
    { startMs: number; attributes: SpanAttributes; notes: NonNullable<SpanFacts['events']>[number][] }
  >();
  const parentOf = (part: LaunchPart): LaunchPart =>
    part.startsWith('waiting/') || part.startsWith('attempt/') || part === 'end'
      ? 'launch'
      : `attempt/${epochOf(part)}`;

  const begin = (part: LaunchPart, startMs: number, attributes: SpanAttributes = {}): void => {
    if (!open.has(part)) open.set(part, { startMs, attributes, notes: [] });
  };
  const end = (part: LaunchPart, atMs: number, attributes: SpanAttributes = {}, error?: string): void => {
    const one = open.get(part);
    if (!one) return;
    open.delete(part);
    spans.push({
      name: part.split('/')[0] ?? part,
      traceId,
      spanId: spanIdOf(story.id, part),
      parent: part === 'launch' ? parent : { traceId, spanId: spanIdOf(story.id, parentOf(part)), sampled },
      startMs: one.startMs,
      endMs: Math.max(one.startMs, atMs),
      attributes: { ...common, ...one.attributes, ...attributes },
      error,
      events: one.notes,
    });
  };

  let nowMs = story.createdAtMs;
  let epoch = 0;
  let waiting: LaunchPart | undefined = 'waiting/0';
  let current: LaunchPart | undefined;
  begin('launch', story.createdAtMs, {
    'davit.project': `${story.entity}/${story.project}`,
    'davit.job': story.job,
    'davit.priority': story.priority,
  });
  begin(waiting, story.createdAtMs);

  const leave = (atMs: number, attributes: SpanAttributes, error: string | undefined): void => {
    if (current) end(current, atMs, {}, error);
    if (!waiting) end(`attempt/${epoch}`, atMs, attributes, error);
    current = undefined;
  };

  for (const event of inOrder(story.events)) {
    const atMs = Math.min(Math.max(nowMs, event.atMs), story.endedAtMs);
    nowMs = atMs;
    const part = partOf[event.type];
    if (event.type === 'claimed') {
      if (waiting) end(waiting, atMs);
      else leave(atMs, {}, undefined);
      waiting = undefined;
      epoch = number(event.data['epoch']) ?? epoch + 1;
      current = `claim/${epoch}`;
      const agent = { 'davit.agent.id': text(event.data['agent']), 'davit.agent.name': text(event.data['agentName']) };
      begin(`attempt/${epoch}`, atMs, {
        ...agent,
        'davit.epoch': epoch,
        'davit.attempt': number(event.data['attempt']),
      });
      begin(current, atMs);
    } else if (event.type === 'returned') {
      leave(atMs, { 'davit.returned': text(event.data['reason']) ?? true }, 'returned to the line');
      epoch = number(event.data['epoch']) ?? epoch + 1;
      waiting = `waiting/${epoch}`;
      begin(waiting, atMs, { 'davit.epoch': epoch });
    } else if (ends.includes(event.type)) {
      continue;
    } else if (part && !waiting) {
      const next: LaunchPart = `${part}/${epoch}`;
      // Told again by whoever adopted the job: the same run goes on.
      if (next === current || spans.some((span) => span.spanId === spanIdOf(story.id, next)))
        note(current, event, atMs);
      else {
        if (current) end(current, atMs);
        current = next;
        begin(next, atMs, { 'davit.epoch': epoch, 'davit.node': text(event.data['node']) });
      }
    } else note(waiting ?? current, event, atMs);
  }

  function note(part: LaunchPart | undefined, event: StoryEvent, atMs: number): void {
    if (event.type === 'queued') return;
    const where = part && open.get(part);
    where?.notes.push({ name: event.type, atMs, attributes: { 'davit.node': text(event.data['node']) } });
  }

  const error = story.state === 'failed' ? (story.failure?.code ?? 'failed') : undefined;
  const result: SpanAttributes = {
    'davit.state': story.state,
    'davit.exit_code': story.exitCode,
    'davit.failure.code': story.failure?.code,
    'davit.failure.stage': story.failure?.stage,
    'davit.failure.fault': story.failure?.fault,
  };
  if (waiting) end(waiting, story.endedAtMs);
  leave(story.endedAtMs, {}, error);
  begin('end', story.endedAtMs);
  end('end', story.endedAtMs, result, error);
  end(
    'launch',
    story.endedAtMs,
    { ...result, 'davit.attempt': story.attempt, 'davit.claims': claimsIn(story.events) },
    error,
  );
  return spans;
}

/**
 * The line's own events are in the order that they happened, by their numbers. An agent's reports come between the claim they were made under
 * and what ended it; which claim that is they do not say, but one claim's reports have one writer, and claims follow each other.
 */
function inOrder(events: readonly StoryEvent[]): StoryEvent[] {
  const ofLine = events.filter((event) => event.writer === 'line').sort((a, b) => a.n - b.n);
  const reports = new Map<string, StoryEvent[]>();
  for (const event of events) {
    if (!event.writer.startsWith('agent:')) continue;
    reports.set(event.writer, [...(reports.get(event.writer) ?? []), event]);
  }
  const groups = [...reports.values()]
    .map((group) => group.sort((a, b) => a.n - b.n))
    .sort((a, b) => (a[0]?.atMs ?? 0) - (b[0]?.atMs ?? 0));

  const claims = ofLine.filter((event) => event.type === 'claimed');
  const under = new Map<StoryEvent, StoryEvent[]>();
  let from = 0;
  for (const [index, group] of groups.entries()) {
    // As many claims must be left as there are groups behind this one.
    const last = claims.length - (groups.length - index);
    let best = from;
    for (let i = from; i <= last; i++) {
      const claim = claims[i];
      if (claim && claim.atMs <= (group[0]?.atMs ?? 0) + clockSkewMs) best = i;
    }
    const claim = claims[best];
    if (claim) under.set(claim, group);
    from = best + 1;
  }

  const ordered: StoryEvent[] = [];
  for (const [i, event] of ofLine.entries()) {
    if (event.type === 'claimed') {
      const next = ofLine.findIndex((later, j) => j > i && (later.type === 'claimed' || later.type === 'returned'));
      const within = ofLine.slice(i + 1, next < 0 ? undefined : next);
      ordered.push(event, ...[...within, ...(under.get(event) ?? [])].sort((a, b) => a.atMs - b.atMs));
    } else if (!ordered.includes(event)) ordered.push(event);
  }
  return ordered;
}

/** Between the clocks of an agent and of the database. */
const clockSkewMs = 2_000;

const claimsIn = (events: readonly StoryEvent[]): number =>
  events.filter((event) => event.writer === 'line' && event.type === 'claimed').length;

const epochOf = (part: LaunchPart): number => Number(part.split('/')[1] ?? 0);
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
