import { satisfies, type Labels } from './requirements.js';
import type { Cause } from './waiting.js';
import type { WaitingAgent, WaitingFacts } from './waiting-facts.js';
import { count, listed, plural, sentence, since } from './waiting-words.js';

/** Which agents could take the launch, and if none could: what they lack, beginning with what keeps the most of them. */

interface Stage {
  code: Cause['code'];
  /** How those that fall out here are spoken of. */
  word: string;
  fallsOut(agent: WaitingAgent): boolean;
  /** All that were left fell out here. */
  say(facts: WaitingFacts, agents: readonly WaitingAgent[]): { text: string; next: string };
}

const stages: readonly Stage[] = [
  {
    code: 'agents-stopped',
    word: 'stopped',
    fallsOut: (agent) => agent.stopped,
    say: (facts, agents) => ({
      text: `${who(facts, agents)} ${agents.length === 1 ? 'is' : 'are'} stopped${byWhom(agents)}`,
      next: `start ${oneOf(agents)} again, or another one for this queue`,
    }),
  },
  {
    code: 'agents-lost',
    word: 'lost',
    fallsOut: (agent) => !agent.alive,
    say: (facts, agents) => {
      const last = agents.reduce((a, b) => (a.heartbeatAt > b.heartbeatAt ? a : b));
      return {
        text: `${who(facts, agents)} ${agents.length === 1 ? 'is' : 'are'} lost: nothing was heard of ${last.name} ${since(last.heartbeatAt, facts.now)}`,
        next: `look at its machine and its log, and start it again`,
      };
    },
  },
  {
    code: 'agents-draining',
    word: 'draining',
    fallsOut: (agent) => agent.draining,
    say: (facts, agents) => ({
      text: `${who(facts, agents)} ${agents.length === 1 ? 'takes' : 'take'} nothing new: ${agents.length === 1 ? 'it is' : 'they are'} being drained${byWhom(agents)}`,
      next: `let one work again with \`davit agents activate ${facts.queue.entity}/${agents[0]?.name ?? ''}\`, or start another one`,
    }),
  },
  {
    code: 'target-unreachable',
    word: 'without their target',
    fallsOut: (agent) => agent.check?.ok === false,
    say: (facts, agents) => ({
      text: `${who(facts, agents)} cannot reach the ${facts.queue.target} target: ${checksOf(agents)}`,
      next: `mend that and start the agent again (\`davit doctor\` checks the same)`,
    }),
  },
  {
    code: 'agents-quarantined',
    word: 'in quarantine',
    fallsOut: (agent) => agent.quarantinedAt !== null && !agent.mayProbe,
    say: (facts, agents) => {
      const [first] = agents;
      const why = first?.quarantineReason ?? 'several launches failed on it for reasons of the machine';
      return {
        text: `${who(facts, agents)} ${agents.length === 1 ? 'is' : 'are'} in quarantine: ${strip(why)}`,
        next: `look at ${first?.name ?? 'it'}, then \`davit agents release ${facts.queue.entity}/${first?.name ?? ''}\``,
      };
    },
  },
];

/** `usable`: agents that would take it now if they had a slot. Without any, `causes` says why. */
export function agentsFor(facts: WaitingFacts): { causes: Cause[]; usable: readonly WaitingAgent[] } {
  const { agents, launch } = facts;
  if (agents.length === 0) return { causes: [noAgent(facts)], usable: [] };
  const suitable = agents.filter((agent) => satisfies(agent.labels, launch.requires));
  const causes = suitable.length === 0 ? [labelsMissing(facts)] : [];
  let rest = suitable.length === 0 ? agents : suitable;
  const others: string[] = [];
  for (const { code, word, fallsOut, say } of stages) {
    const out = rest.filter(fallsOut);
    if (out.length === rest.length) {
      const { text, next } = say(facts, out);
      const all = others.length === 0 ? text : `${text} (others: ${others.join(', ')})`;
      const data = { agents: out.slice(0, 10).map(brief), total: agents.length };
      return { causes: [...causes, { code, sentence: sentence(all, next), data }], usable: [] };
    }
    if (out.length > 0) others.push(`${out.length} ${word}`);
    rest = rest.filter((agent) => !fallsOut(agent));
  }
  return { causes, usable: suitable.length === 0 ? [] : rest };
}

function noAgent({ queue, elsewhere, now }: WaitingFacts): Cause {
  const name = `${queue.entity}/${queue.name}`;
  const [first] = elsewhere.unreachable;
  if (first) {
    const text =
      `No agent serves ${name}: ${count(elsewhere.unreachable.length, 'agent')} of ${queue.entity} ` +
      `cannot reach the ${queue.target} target (${first.name}: ${strip(first.details.join('; ') || 'its check failed')})`;
    return {
      code: 'target-unreachable',
      sentence: sentence(text, 'mend that and start the agent again (`davit doctor` checks the same)'),
      data: { agents: elsewhere.unreachable.map(({ name: agent, details }) => ({ name: agent, details })), total: 0 },
    };
  }
  const past = queue.lastClaimAt ? `; the last launch was taken ${since(queue.lastClaimAt, now)}` : '';
  const next =
    elsewhere.otherQueues > 0
      ? `add it to the queues of one of the ${count(elsewhere.otherQueues, 'agent')} of ${queue.entity} that serve others, or start an agent for it (\`davit agent\`)`
      : `start one for entity ${queue.entity} with \`davit agent\` on a machine with the ${queue.target} target`;
  return {
    code: 'no-agent',
    sentence: sentence(`No agent serves ${name}${past}`, next),
    data: { otherQueues: elsewhere.otherQueues, lastClaimAt: queue.lastClaimAt?.toISOString() ?? null },
  };
}

function labelsMissing({ agents, launch, queue }: WaitingFacts): Cause {
  const near = agents
    .map((agent) => ({ agent, missing: missingIn(agent.labels, launch.requires) }))
    .reduce((a, b) => (better(a, b) ? a : b));
  const wants = Object.entries(launch.requires).map(([key, value]) => `${key}=${value}`);
  const lacks = Object.entries(near.missing).map(([key, value]) => {
    const has = near.agent.labels[key];
    return `${key}=${value} (it has ${has === undefined ? 'no such label' : `${key}=${has}`})`;
  });
  const text =
    `No agent of ${queue.entity}/${queue.name} has the labels that it requires (${wants.join(', ')}): ` +
    `the nearest, ${near.agent.name}, lacks ${lacks.join(', ')}`;
  return {
    code: 'labels-missing',
    sentence: sentence(text, 'start an agent with these labels, or relaunch without requiring them'),
    data: {
      requires: launch.requires,
      nearest: { name: near.agent.name, labels: near.agent.labels, missing: near.missing },
    },
  };
}

const missingIn = (have: Labels, required: Labels): Labels =>
  Object.fromEntries(Object.entries(required).filter(([name, value]) => have[name] !== value));

interface Near {
  agent: WaitingAgent;
  missing: Labels;
}
const better = (a: Near, b: Near): boolean => {
  const [x, y] = [Object.keys(a.missing).length, Object.keys(b.missing).length];
  return x === y ? a.agent.alive || !b.agent.alive : x < y;
};

const who = (facts: WaitingFacts, agents: readonly WaitingAgent[]): string => {
  const all = agents.length === facts.agents.length;
  const queue = `${facts.queue.entity}/${facts.queue.name}`;
  if (agents.length === 1)
    return `${all ? 'The only agent' : 'The one agent left'} of ${queue}, ${agents[0]?.name ?? ''},`;
  return `${all ? 'All' : 'The'} ${plural(agents.length, 'agent')} of ${queue} (${listed(agents.map(({ name }) => name))})`;
};

const oneOf = (agents: readonly WaitingAgent[]): string => agents[0]?.name ?? 'one';

const byWhom = (agents: readonly WaitingAgent[]): string => {
  const by = [...new Set(agents.flatMap(({ wantedBy }) => wantedBy ?? []))];
  return by.length === 0 ? '' : ` by ${listed(by)}`;
};

const checksOf = (agents: readonly WaitingAgent[]): string =>
  agents
    .slice(0, 3)
    .map(({ name, check }) => `${name}: ${strip(check?.details.join('; ') || 'its check failed')}`)
    .join(', ');

const strip = (text: string): string => text.trim().replace(/[.\s]+$/, '');

const brief = (agent: WaitingAgent) => ({
  name: agent.name,
  heartbeatAt: agent.heartbeatAt.toISOString(),
  ...(agent.wantedBy === null ? {} : { by: agent.wantedBy }),
  ...(agent.quarantinedAt === null
    ? {}
    : { quarantinedAt: agent.quarantinedAt.toISOString(), reason: agent.quarantineReason }),
  ...(agent.check === null || agent.check.ok ? {} : { details: agent.check.details }),
});
