import { isErrorCode, catalogue } from './errors.js';
import { priorityOfNumber } from './words.js';

/** One sentence for each event of a launch, as a person reads it in its timeline. */

type Data = Record<string, unknown>;

const sentences: Record<string, (data: Data) => string> = {
  queued: (d) => `Accepted${by(d['author'] ?? d['by'])}; waits in line.`,
  claimed: (d) => `Taken by agent ${text(d['agentName'] ?? d['agent']) ?? 'unknown'}${claimOf(d)}.`,
  returned: (d) => `Back in its place in line${because(d['reason'])}.`,
  held: (d) => `Held${d['cause'] === 'parked' ? ' (parked)' : ''}${by(d['by'])}${because(d['reason'])}.`,
  released: (d) => `Released${by(d['by'])}; waits in line again.`,
  moved: (d) => `Moved ${placeOf(d)}${by(d['by'])}.`,
  reprioritised: (d) => `Priority changed from ${priorityName(d['from'])} to ${priorityName(d['to'])}${by(d['by'])}.`,
  transferred: (d) => `Moved to another queue${by(d['by'])}.`,
  preparing: (d) => `Preparing: fetching code, installing requirements${dash(d['reason'])}.`,
  submitting: (d) => `Handing the job to the target${dash(d['reason'])}.`,
  starting: (d) => `The target has the job${dash(d['reason'])}.`,
  running: (d) => `Running${text(d['node']) ? ` on ${text(d['node'])}` : ''}${dash(d['reason'])}.`,
  note: (d) => `${capital(text(d['reason']) ?? text(d['message']) ?? 'Noted')}.`,
  retry: (d) => `${happened(d)}Will be tried again (${countOf(d)})${startOf(d)}${runsOf(d)}.`,
  stopping: (d) => `Asked to stop${by(d['by'])}${because(d['reason'])}.`,
  finished: (d) => `Finished${exitOf(d)}.${noteOf(d)}`,
  failed: (d) => `Failed${exitOf(d)}: ${failureOf(d)}${noteOf(d)}`,
  stopped: (d) => `Stopped${by(d['by'])}${because(d['reason'])}.${noteOf(d)}`,
};

/** Types that are not known here (written by a newer version) are shown by their name and what they carry. */
export function sentenceOf(type: string, data: Data): string {
  const sentence = Object.hasOwn(sentences, type) ? sentences[type] : undefined;
  if (sentence) return sentence(data);
  const detail = text(data['message']) ?? text(data['reason']);
  return `${capital(type.replaceAll(/[-_]/g, ' '))}${dash(detail)}.`;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value.replace(/\.$/, '')
    : typeof value === 'number'
      ? String(value)
      : undefined;
const by = (value: unknown): string => (text(value) ? ` by ${text(value)}` : '');
const because = (value: unknown): string => (text(value) ? `: ${text(value)}` : '');
const dash = (value: unknown): string => (text(value) ? ` (${text(value)})` : '');
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const exitOf = (d: Data): string => (typeof d['exitCode'] === 'number' ? ` with exit code ${d['exitCode']}` : '');
const noteOf = (d: Data): string => (text(d['note']) ? ` ${text(d['note'])}.` : '');
const claimOf = (d: Data): string => (typeof d['epoch'] === 'number' && d['epoch'] > 1 ? `, claim ${d['epoch']}` : '');

const happened = (d: Data): string => (text(d['message']) ? `${text(d['message'])}. ` : '');
const countOf = (d: Data): string =>
  `${text(d['cause']) ?? 'retry'}, ${text(d['n']) ?? '?'} of ${text(d['of']) ?? '?'}`;
const startOf = (d: Data): string => {
  const at = typeof d['from'] === 'string' ? new Date(d['from']) : undefined;
  return at && !Number.isNaN(at.getTime()) ? `, from ${at.toISOString().slice(11, 19)} UTC` : '';
};
const runsOf = (d: Data): string => (text(d['run']) ? `, as run ${text(d['run'])} after ${text(d['runBefore'])}` : '');

const priorityName = (n: unknown): string => (typeof n === 'number' ? priorityOfNumber(n) : 'unknown');
const placeOf = (d: Data): string => {
  if (d['to'] === 'front') return 'to the front of its priority';
  if (d['to'] === 'back') return 'to the end of its priority';
  return `${text(d['to']) ?? 'beside'} ${text(d['other']) ?? 'another launch'}`;
};

function failureOf(d: Data): string {
  const message = text(d['message']);
  const code = text(d['code']);
  if (message) return `${message}.`;
  return code && isErrorCode(code) ? catalogue[code].title : 'the reason is not known.';
}
