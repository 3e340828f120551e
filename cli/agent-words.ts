import type { Api } from '../client/index.js';
import { shortDuration } from './durations.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { ago } from './output/output.js';

type Agent = Api<'Agent'>;

/** Whether it takes launches, in one word. Quarantine goes before what its process says. */
export const agentState = (agent: Agent): string => {
  if (agent.quarantine !== null) return 'quarantined';
  return agent.status === 'lost' ? 'lost' : agent.status;
};

export const slotWords = ({ slots }: Agent): string => `${slots.used}/${slots.total ?? '∞'}`;

export const labelWords = (labels: Agent['labels']): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** An agent as an operator wants to see it: does it take launches, what it holds, what it has, and why it is kept away. */
export function agentWords(agent: Agent, out: Output): string {
  const { colors } = out;
  const state = agentState(agent);
  const paint =
    state === 'active' ? colors.green : state === 'lost' || state === 'quarantined' ? colors.red : colors.yellow;
  const facts: Fact[] = [
    ['heard', `${ago(agent.heartbeatAt)}; runs since ${shortDuration(Date.now() - Date.parse(agent.startedAt))}`],
    [
      'wanted',
      agent.wanted === 'active' ? null : `${agent.wanted}${agent.wantedBy === null ? '' : ` by ${agent.wantedBy}`}`,
    ],
    ['slots', `${agent.slots.used} of ${agent.slots.total ?? 'unlimited'} used`],
    ['queues', agent.queues.length === 0 ? 'none' : agent.queues.join(', ')],
    ['key', agent.boundTo === null ? 'opens every queue of the entity' : `opens ${agent.boundTo.join(', ')} only`],
    ['labels', labelWords(agent.labels) === '' ? 'none' : labelWords(agent.labels)],
    ['targets', Object.entries(agent.targets).flatMap(targetWords)],
    ['process', `${agent.pid} on ${agent.host}, version ${agent.version}`],
  ];
  return [
    `${colors.bold(`${agent.entity}/${agent.name}`)}  ${paint(state)}`,
    ...factLines(facts, nameWidth, colors),
    ...quarantineWords(agent, out),
    ...holdingWords(agent, out),
    ...nextWords(agent, out),
  ].join('\n');
}

const nameWidth = 10;

const targetWords = ([name, { ok, place, details }]: [string, Agent['targets'][string]]): string[] => [
  `${name} ${ok ? 'works' : 'does not work'} at ${place}`,
  ...details.map((detail) => `- ${detail}`),
];

function quarantineWords({ quarantine }: Agent, { colors }: Output): string[] {
  if (quarantine === null) return [];
  const { reason, by, since, probeAfter, probeLaunch, launches } = quarantine;
  return [
    '',
    colors.bold('In quarantine: it takes nothing'),
    ...factLines(
      [
        ['why', reason],
        ['since', `${ago(since)}, by ${by}`],
        [
          'probe',
          probeLaunch !== null
            ? `proves itself with ${probeLaunch} now`
            : probeAfter === null
              ? null
              : probeWords(probeAfter),
        ],
        [
          'evidence',
          launches.map(({ launchId, code, message, at }) => `${at.slice(11, 19)} ${launchId} ${code}: ${message}`),
        ],
      ],
      nameWidth,
      colors,
    ),
  ];
}

const probeWords = (probeAfter: string): string => {
  const leftMs = Date.parse(probeAfter) - Date.now();
  return leftMs <= 0
    ? 'takes one launch now to prove itself'
    : `takes one launch in ${shortDuration(leftMs)} to prove itself`;
};

function holdingWords({ launches }: Agent, out: Output): string[] {
  if (launches.length === 0) return [];
  const rows = launches.map((one) => [
    one.id,
    one.state,
    shortDuration(Date.now() - Date.parse(one.since)),
    one.queue,
    one.project,
  ]);
  return ['', out.table(['HOLDS', 'STATE', 'FOR', 'QUEUE', 'PROJECT'], rows)];
}

function nextWords(agent: Agent, { colors }: Output): string[] {
  const name = `${agent.entity}/${agent.name}`;
  const next =
    agent.quarantine !== null
      ? `Look at the launches above and at the machine, then davit agents release ${name}`
      : agent.wanted !== 'active'
        ? `davit agents activate ${name} lets it work again`
        : agent.status === 'lost'
          ? `Look at the machine and start the agent again; davit agents delete ${name} when it never comes back`
          : undefined;
  return next === undefined ? [] : ['', `${colors.bold('next')}  ${next}`];
}
