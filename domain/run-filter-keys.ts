import { DavitError } from './errors.js';

/** What runs can be filtered and ordered by: a closed list of columns, and paths into config and summary. */
export type RunKey =
  | { kind: 'text'; column: TextColumn }
  | { kind: 'time'; column: TimeColumn }
  | { kind: 'number'; column: 'duration' }
  | { kind: 'tags' }
  /** Path of keys below the entry of the config, or below the summary. */
  | { kind: 'config' | 'summary'; path: string[] };

export type TextColumn =
  | 'name'
  | 'display_name'
  | 'state'
  | 'group_name'
  | 'job_type'
  | 'host'
  | 'program'
  | 'commit'
  | 'notes'
  | 'description'
  | 'sweep_name'
  | 'username';
export type TimeColumn = 'created_at' | 'heartbeat_at' | 'updated_at';

const text = (column: TextColumn): RunKey => ({ kind: 'text', column });
const time = (column: TimeColumn): RunKey => ({ kind: 'time', column });

/** As the clients spell them, in both manners. */
const named = new Map<string, RunKey>(
  Object.entries({
    name: text('name'),
    id: text('name'),
    run_id: text('name'),
    displayName: text('display_name'),
    display_name: text('display_name'),
    state: text('state'),
    group: text('group_name'),
    groupName: text('group_name'),
    group_name: text('group_name'),
    jobType: text('job_type'),
    job_type: text('job_type'),
    host: text('host'),
    program: text('program'),
    commit: text('commit'),
    notes: text('notes'),
    description: text('description'),
    sweep: text('sweep_name'),
    sweepName: text('sweep_name'),
    sweep_name: text('sweep_name'),
    user: text('username'),
    username: text('username'),
    'user.username': text('username'),
    createdAt: time('created_at'),
    created_at: time('created_at'),
    heartbeatAt: time('heartbeat_at'),
    heartbeat_at: time('heartbeat_at'),
    updatedAt: time('updated_at'),
    updated_at: time('updated_at'),
    duration: { kind: 'number', column: 'duration' } satisfies RunKey,
    tags: { kind: 'tags' } satisfies RunKey,
  }),
);

const longestKey = 1_000;
const deepestPath = 20;

export function runKey(name: string): RunKey {
  const column = named.get(name);
  if (column) return column;
  const [first, ...rest] = name.split('.');
  const path = pathOf(first ?? '', rest);
  if (!path) {
    const hint = /^(config|summary_metrics|summaryMetrics|summary)$/.test(first ?? '')
      ? ` Name an entry: "${first}.lr".`
      : '';
    throw new DavitError('invalid-request', `Runs have no key "${name.slice(0, 200)}" to filter or order by.${hint}`);
  }
  if (name.length > longestKey || path.path.length > deepestPath)
    throw new DavitError('invalid-request', `The key "${name.slice(0, 200)}…" is too long.`);
  return path;
}

function pathOf(first: string, rest: string[]): { kind: 'config' | 'summary'; path: string[] } | undefined {
  if (rest.length === 0 || rest.some((part) => part === '')) return undefined;
  switch (first) {
    case 'config': {
      const [entry = '', ...below] = rest;
      // Clients say `config.lr.value` for what is `config.lr`, and `config.model.value.depth` for what is inside.
      return { kind: 'config', path: [entry, ...(below[0] === 'value' ? below.slice(1) : withoutLastValue(below))] };
    }
    case 'summary':
    case 'summary_metrics':
    case 'summaryMetrics':
      return { kind: 'summary', path: rest };
    // What a run ever logged is what its summary knows.
    case 'historyKeys':
      return { kind: 'summary', path: rest };
    case 'keys_info':
      return rest[0] === 'keys' && rest.length > 1 ? { kind: 'summary', path: rest.slice(1) } : undefined;
    default:
      return undefined;
  }
}

/** `config.model.depth.value` is how some spell `config.model.value.depth`; a dotted key of the config ends like this, too. */
const withoutLastValue = (below: string[]): string[] => (below.at(-1) === 'value' ? below.slice(0, -1) : below);

/** How runs are sorted: `+key`, `-key` or `key` (ascending). */
export interface RunOrder {
  key: Exclude<RunKey, { kind: 'tags' }>;
  descending: boolean;
  /** The one spelling of it, for cursors. */
  text: string;
}

export function parseRunOrder(order: string | null | undefined): RunOrder {
  const given = order?.trim() || '-created_at';
  const descending = given.startsWith('-');
  const name = given.replace(/^[+-]/, '');
  const key = runKey(name);
  if (key.kind === 'tags') throw new DavitError('invalid-request', 'Runs cannot be ordered by "tags".');
  return { key, descending, text: (descending ? '-' : '+') + name };
}
