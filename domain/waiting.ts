import { agentsFor } from './waiting-agents.js';
import { heldMsOf, type Holder, type WaitingAgent, type WaitingFacts } from './waiting-facts.js';
import { clock, count, listed, plural, roughly, sentence, since } from './waiting-words.js';

/** Why a launch waits: what is true of it at this moment, the most important first, each with what to do about it (docs/waiting.md). */

export const causeCodes = [
  'held',
  'back-off',
  'parked',
  'queue-paused',
  'temporal-away',
  'no-agent',
  'target-unreachable',
  'labels-missing',
  'agents-stopped',
  'agents-lost',
  'agents-draining',
  'agents-quarantined',
  'slots-busy',
  'queue-limit',
  'project-limit',
  'launches-ahead',
  'next-in-line',
  'being-handed-out',
] as const;
export type CauseCode = (typeof causeCodes)[number];

export interface Cause {
  code: CauseCode;
  /** What is, and the next step. */
  sentence: string;
  data: Record<string, unknown>;
}

export function causesOf(facts: WaitingFacts): Cause[] {
  const { causes, usable } = agentsFor(facts);
  const lasting = [...holdOf(facts), ...pauseOf(facts), ...temporalOf(facts), ...causes];
  // A launch that is held has no place, and nothing else is the reason that it is not taken now.
  if (facts.launch.hold !== null) return lasting;
  const full = usable.length > 0 ? [...slotsOf(facts, usable)] : [];
  const limits = [...queueLimitOf(facts), ...projectLimitOf(facts)];
  const blocked = [...lasting, ...full, ...limits];
  return [...blocked, placeOf(facts, blocked.length > 0)];
}

/** The one sentence to show where there is room for one. */
export const summaryOf = (causes: readonly Cause[]): string | null => causes[0]?.sentence ?? null;

const queueName = ({ queue }: WaitingFacts): string => `${queue.entity}/${queue.name}`;
const because = (reason: string | null): string => (reason ? ` ("${reason.trim().replace(/\.$/, '')}")` : '');

function holdOf({ launch, now }: WaitingFacts): Cause[] {
  const { hold, heldBy, heldAt, holdReason, releaseAt } = launch;
  if (hold === null) return [];
  const data = {
    by: heldBy,
    reason: holdReason,
    at: heldAt?.toISOString() ?? null,
    releaseAt: releaseAt?.toISOString() ?? null,
  };
  const release = `release it with \`davit launches release ${launch.id ?? '<id>'}\``;
  if (hold === 'back-off') {
    const until = releaseAt ? `until ${clock(releaseAt)} (in ${roughly(releaseAt.getTime() - now.getTime())})` : '';
    const text = `It is tried again after a pause ${until}${because(holdReason)}`.trimEnd();
    return [{ code: 'back-off', sentence: sentence(text, `nothing to do, or ${release} to try at once`), data }];
  }
  if (hold === 'parked') {
    const agents = [...new Set(launch.losses.map(({ agent }) => agent))];
    const last = launch.losses.at(-1);
    const text = last
      ? `It is parked: ${count(launch.losses.length, 'agent')} ${launch.losses.length === 1 ? 'was' : 'were'} lost while holding it ` +
        `(${listed(agents)}; last ${last.agent} at ${clock(new Date(last.at))}: ${last.seen})`
      : `It is parked${because(holdReason)}`;
    const next = `look at the logs of these agents, then ${release}, or cancel it`;
    return [{ code: 'parked', sentence: sentence(text, next), data: { ...data, losses: launch.losses } }];
  }
  const text = `It is held${heldBy ? ` by ${heldBy}` : ''}${heldAt ? ` ${since(heldAt, now)}` : ''}${because(holdReason)}`;
  const until = releaseAt ? `it is released at ${clock(releaseAt)}; to do it now, ` : '';
  return [{ code: 'held', sentence: sentence(text, `${until}${release}`), data }];
}

function pauseOf(facts: WaitingFacts): Cause[] {
  const { paused, pausedBy, pausedAt, pauseReason } = facts.queue;
  if (!paused) return [];
  const text = `Queue ${queueName(facts)} is paused${pausedBy ? ` by ${pausedBy}` : ''}${pausedAt ? ` ${since(pausedAt, facts.now)}` : ''}${because(pauseReason)}`;
  return [
    {
      code: 'queue-paused',
      sentence: sentence(
        text,
        `an admin of ${facts.queue.entity} goes on with \`davit queue resume ${queueName(facts)}\``,
      ),
      data: { by: pausedBy, at: pausedAt?.toISOString() ?? null, reason: pauseReason },
    },
  ];
}

function temporalOf({ temporalAway, now }: WaitingFacts): Cause[] {
  if (!temporalAway) return [];
  const text = `Temporal does not answer ${since(temporalAway.since, now)}, so nothing is handed out; what was accepted is kept`;
  return [
    {
      code: 'temporal-away',
      sentence: sentence(
        text,
        'start Temporal or mend the way to it (`davit doctor` says what is down); it goes on by itself then',
      ),
      data: { since: temporalAway.since.toISOString(), message: temporalAway.message },
    },
  ];
}

/** Slots of these agents; null: one of them has no limit. */
export function slotsAt(agents: readonly WaitingAgent[]): { total: number | null; used: number } {
  const used = agents.reduce((sum, agent) => sum + agent.used, 0);
  if (agents.some((agent) => capacityOf(agent) === null)) return { total: null, used };
  return { total: agents.reduce((sum, agent) => sum + (capacityOf(agent) ?? 0), 0), used };
}

/** An agent in quarantine that may prove itself takes one launch, whatever its slots. */
const capacityOf = (agent: WaitingAgent): number | null =>
  agent.mayProbe ? agent.used + 1 : agent.maxJobs < 0 ? null : agent.maxJobs;

function slotsOf(facts: WaitingFacts, usable: readonly WaitingAgent[]): Cause[] {
  const isFull = (agent: WaitingAgent): boolean => agent.used >= (capacityOf(agent) ?? Infinity);
  if (!usable.every(isFull)) return [];
  const { total, used } = slotsAt(usable);
  const ids = new Set(usable.map(({ id }) => id));
  const theirs = oldestFirst(facts.holders.filter(({ agentId }) => agentId !== null && ids.has(agentId)));
  const byQueue = tally(theirs.map(({ queue }) => queue));
  const own = byQueue.get(queueName(facts)) ?? 0;
  const foreign = [...byQueue].filter(([queue]) => queue !== queueName(facts));
  const by = [
    ...(own > 0 ? [`${own} by launches of this queue`] : []),
    ...foreign.slice(0, 3).map(([queue, n]) => `${n} by launches of ${queue}`),
    ...(foreign.length > 3 ? [`the rest by ${foreign.length - 3} other queues`] : []),
  ];
  const [first] = theirs;
  const at = usable.length === 1 ? `agent ${usable[0]?.name ?? ''}` : `the ${usable.length} agents that could take it`;
  const text =
    (total === 0
      ? `${at} ${usable.length === 1 ? 'has' : 'have'} no slots`
      : `${used >= 2 ? `All ${total ?? used} slots` : 'The one slot'} of ${at} ${used >= 2 ? 'are' : 'is'} taken`) +
    (by.length > 0 ? `: ${by.join(', ')}` : '') +
    (first ? ` (longest: ${first.launchId}, for ${roughly(heldMsOf(facts, first))})` : '');
  return [
    {
      code: 'slots-busy',
      sentence: sentence(text, 'it goes on when one ends; another agent or a higher maxJobs makes it sooner'),
      data: { used, total, agents: usable.length, byQueue: Object.fromEntries(byQueue), launches: briefly(theirs) },
    },
  ];
}

function queueLimitOf(facts: WaitingFacts): Cause[] {
  const { maxRunning, running, id } = facts.queue;
  if (maxRunning === null || running < maxRunning) return [];
  const theirs = oldestFirst(facts.holders.filter(({ queueId }) => queueId === id));
  const text = `Queue ${queueName(facts)} runs ${running} of at most ${plural(maxRunning, 'launch')} at once`;
  return [
    {
      code: 'queue-limit',
      sentence: sentence(text, `${oneMustEnd(maxRunning)} an admin raises maxRunning of the queue`),
      data: { running, maxRunning, launches: briefly(theirs) },
    },
  ];
}

function projectLimitOf(facts: WaitingFacts): Cause[] {
  const { maxRunning, running, id, entity, name } = facts.project;
  if (maxRunning === null || running < maxRunning) return [];
  const theirs = oldestFirst(
    facts.holders.filter(({ queueId, projectId }) => queueId === facts.queue.id && projectId === id),
  );
  const text = `Project ${entity}/${name} runs ${running} of at most ${plural(maxRunning, 'launch')} at once in ${queueName(facts)}`;
  return [
    {
      code: 'project-limit',
      sentence: sentence(text, `${oneMustEnd(maxRunning)} an admin raises what the project may run in this queue`),
      data: { running, maxRunning, launches: briefly(theirs) },
    },
  ];
}

const oneMustEnd = (limit: number): string =>
  limit === 0 ? 'it can go on only when' : 'it goes on when one ends, or when';

function placeOf(facts: WaitingFacts, blocked: boolean): Cause {
  const { position, ahead, higher } = facts.line;
  const data = { position, ahead, higher };
  if (ahead > 0) {
    const text = `${count(ahead, 'launch')} ${ahead === 1 ? 'stands' : 'stand'} before it in line${higher > 0 ? `, ${higher === ahead ? (ahead === 1 ? 'and has a higher priority' : 'all of them of a higher priority') : `${higher.toLocaleString('en-US')} of them of a higher priority`}` : ''}`;
    return {
      code: 'launches-ahead',
      sentence: sentence(text, 'to go sooner, move it to the front or give it a higher priority'),
      data,
    };
  }
  if (blocked)
    return {
      code: 'next-in-line',
      sentence: 'It is next in line; it is taken as soon as nothing of the above keeps it.',
      data,
    };
  return {
    code: 'being-handed-out',
    sentence:
      'It is next and an agent has a free slot; it is being handed out, and if it still is in a minute, `davit doctor` says what is down.',
    data,
  };
}

const oldestFirst = (holders: readonly Holder[]): Holder[] =>
  [...holders].sort((a, b) => a.since.getTime() - b.since.getTime());

const briefly = (holders: readonly Holder[]) =>
  holders.slice(0, 10).map(({ launchId, queue, state, agent, since: at }) => ({
    id: launchId,
    queue,
    state,
    agent,
    since: at.toISOString(),
  }));

/** Most first. */
function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
