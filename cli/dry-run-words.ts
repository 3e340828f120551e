import type { Api } from '../client/index.js';
import { durationWord } from './durations.js';
import type { Fact } from './output/facts.js';
import { factLines } from './output/facts.js';
import type { Output } from './output/output.js';
import { retryWords, timeoutWords } from './retry-words.js';
import type { RetryPolicy, Timeouts } from './retry-words.js';
import { waitingFacts } from './waiting-words.js';

type DryRun = Api<'DryRun'>;

/** What a launch would be, for people: what is asked for, what the target would get, what the queue says, and when it would start. */
export function dryRunWords(run: DryRun, out: Output, notes: readonly string[]): string {
  const { colors } = out;
  const { queue } = run;
  const section = (title: string, facts: readonly Fact[]): string[] => {
    const lines = factLines(facts, nameWidth, colors);
    return lines.length === 0 ? [] : ['', colors.bold(title), ...lines];
  };
  const answer = queue.accepts
    ? colors.green(`${queue.entity}/${queue.name} would accept it`)
    : colors.red(`${queue.entity}/${queue.name} would refuse it`);
  return [
    `${colors.bold('Dry run')}  ${answer}${run.planProblems.length > 0 ? colors.red(', and it would fail') : ''}. Nothing was changed.`,
    ...notes,
    ...section('The launch', resolvedFacts(run.resolved)),
    ...section('What the target would be asked to run', planFacts(run)),
    ...section('The queue', [
      ['answer', queue.accepts ? 'accepted' : queue.problems.map(({ code, sentence }) => `${sentence} (${code})`)],
      [
        'position',
        !queue.accepts ? null : queue.position === null ? 'held: none until it is released' : String(queue.position),
      ],
      ...(queue.accepts ? waitingFacts(run) : []),
    ]),
  ].join('\n');
}

const nameWidth = 12;

/** What is known of it; the document is the API's, and may have more. */
interface Resolved {
  entity?: string;
  project?: string;
  newProject?: boolean;
  job?: { entity: string; project: string; name: string; version: string };
  image?: string;
  git?: { ref: string; commit: string };
  warnings?: string[];
  displayName?: string;
  priority?: string;
  requires?: Record<string, string>;
  requireRun?: boolean;
  retry?: RetryPolicy | null;
  timeouts?: Timeouts | null;
  ttlMs?: number | null;
  hold?: boolean;
  resourceConfig?: Record<string, unknown>;
}

function resolvedFacts(document: DryRun['resolved']): Fact[] {
  const one = document as Resolved;
  const { job, requires = {} } = one;
  const labels = Object.entries(requires).map(([name, value]) => `${name}=${value}`);
  return [
    ['job', job === undefined ? null : `${job.entity}/${job.project}/${job.name}:${job.version}`],
    ['image', one.image ?? null],
    ['commit', one.git === undefined ? null : `${one.git.commit} (${one.git.ref})`],
    ['warnings', one.warnings ?? null],
    ['project', `${one.entity ?? ''}/${one.project ?? ''}${one.newProject === true ? ' (would be made)' : ''}`],
    [
      'run',
      `${one.displayName ?? 'named when it starts'}${one.requireRun === false ? '; the job need not call wandb.init' : ''}`,
    ],
    ['priority', one.priority ?? null],
    ['requires', labels.length === 0 ? 'any agent of the queue' : labels.join(', ')],
    ['retry', retryWords(one.retry)],
    ['time-outs', timeoutWords(one.timeouts)],
    ['ttl', one.ttlMs == null ? 'waits as long as it takes' : `stopped after waiting ${durationWord(one.ttlMs)}`],
    ['held', one.hold === true ? 'until somebody releases it' : null],
    ['config', Object.keys(one.resourceConfig ?? {}).length === 0 ? null : JSON.stringify(one.resourceConfig)],
  ];
}

interface Plan {
  target?: string;
  source?: { kind?: string; image?: string; remote?: string; commit?: string; patched?: boolean };
  build?: Record<string, string>;
  entryPoint?: string[];
  command?: string[];
  workingDir?: string;
  environment?: Record<string, string>;
  requirements?: string;
  pythonVersion?: string;
  codeDigest?: string;
  spec?: Record<string, unknown>;
}

function planFacts(run: DryRun): Fact[] {
  if (run.plan === null) return [['problem', run.planProblems.map(({ code, sentence }) => `${sentence} (${code})`)]];
  const plan = run.plan as Plan;
  const variables = Object.entries(plan.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const secrets = run.secrets.map(({ name, source }) => `${name}=(${source})`);
  const requirements = plan.requirements?.split('\n').filter((line) => line.trim() !== '') ?? [];
  return [
    ['command', commandWords(plan)],
    ['image', plan.source?.image ?? null],
    ['repository', plan.source?.remote ?? null],
    [
      'commit',
      plan.source?.commit === undefined
        ? null
        : `${plan.source.commit}${plan.source.patched === true ? ', with changes' : ''}`,
    ],
    ['build', Object.keys(plan.build ?? {}).length === 0 ? null : JSON.stringify(plan.build)],
    ['folder', plan.workingDir === undefined || plan.workingDir === '' ? null : plan.workingDir],
    ['python', plan.pythonVersion ?? null],
    ['packages', requirements.length === 0 ? null : requirements.join(', ')],
    ['code', plan.codeDigest ?? null],
    ['environment', [...variables, ...secrets]],
    [plan.target ?? 'target', specWords(plan)],
  ];
}

function commandWords({ command = [], entryPoint = [] }: Plan): string | null {
  const words = command.map(quoted).join(' ');
  if (entryPoint.length > 0) return words;
  return words === '' ? "the image's own" : `the image's own, with ${words}`;
}

/** What the target adds of its own: what stands above already is not said again. */
function specWords({ spec = {}, ...plan }: Plan): string | null {
  const above = new Map(Object.entries(plan).map(([name, value]) => [name, JSON.stringify(value)]));
  const own = Object.entries(spec).filter(([name, value]) => above.get(name) !== JSON.stringify(value));
  return own.length === 0 ? null : JSON.stringify(Object.fromEntries(own));
}

/** As it could be typed: words with blanks are seen as one. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
