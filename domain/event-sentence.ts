import { isErrorCode, catalogue } from './errors.js';

/** One sentence for each event of a launch, as a person reads it in its timeline. */

type Data = Record<string, unknown>;

const sentences: Record<string, (data: Data) => string> = {
  queued: (d) => `Accepted${by(d['author'] ?? d['by'])}; waits in line.`,
  claimed: (d) => `Taken by agent ${text(d['agentName'] ?? d['agent']) ?? 'unknown'}${claimOf(d)}.`,
  returned: (d) => `Back in its place in line${because(d['reason'])}.`,
  preparing: (d) => `Preparing: fetching code, installing requirements${dash(d['reason'])}.`,
  submitting: (d) => `Handing the job to the target${dash(d['reason'])}.`,
  starting: (d) => `The target has the job${dash(d['reason'])}.`,
  running: (d) => `Running${text(d['node']) ? ` on ${text(d['node'])}` : ''}${dash(d['reason'])}.`,
  note: (d) => `${capital(text(d['reason']) ?? text(d['message']) ?? 'Noted')}.`,
  stopping: (d) => `Asked to stop${by(d['by'])}.`,
  finished: (d) => `Finished${exitOf(d)}.`,
  failed: (d) => `Failed${exitOf(d)}: ${failureOf(d)}`,
  stopped: (d) => `Stopped${by(d['by'])}${because(d['reason'])}.`,
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
const claimOf = (d: Data): string => (typeof d['epoch'] === 'number' && d['epoch'] > 1 ? `, claim ${d['epoch']}` : '');

function failureOf(d: Data): string {
  const message = text(d['message']);
  const code = text(d['code']);
  if (message) return `${message}.`;
  return code && isErrorCode(code) ? catalogue[code].title : 'the reason is not known.';
}
