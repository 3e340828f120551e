import { z } from 'zod';
import type { Output } from './output/output.js';
import { plain } from './output/terminal.js';
import type { EmbeddedStack, StackEvent } from './stack/embedded.js';
import { apiUrlOf } from './up-children.js';
import { version } from './version.js';

/** Lines of the log that our parts write. */
const logLine = z.object({ level: z.string(), msg: z.string(), err: z.object({ message: z.string() }).optional() });

/** What `davit up` says: how the start goes and where everything is, then nothing unless something happens. */
export class UpVoice {
  #isUp = false;
  #isStopping = false;
  readonly #died = new Set<string>();

  constructor(
    readonly out: Output,
    readonly home: string,
  ) {
    this.#say('start', { home, version }, `${out.colors.bold(`Davit ${version}`)}, data folder ${home}`);
  }

  event(event: StackEvent): void {
    const { kind, part, message } = event;
    const { colors } = this.out;
    if (kind === 'warning' || kind === 'died') {
      if (kind === 'died') this.#died.add(part);
      const lines =
        kind === 'died' ? event.lastLines.slice(-5).map((line) => colors.dim(`    ${plain(readable(line))}`)) : [];
      if (this.#isStopping && kind === 'died') return;
      this.#say(kind, { part, message }, [colors.yellow(`! ${plain(message)}`), ...lines].join('\n'));
    } else if (kind === 'ready' && this.#died.delete(part)) {
      this.#say('again', { part }, colors.green(`✓ ${part} is back`));
    } else if (kind === 'stopped' && !this.#isStopping) {
      // One part alone, on purpose: the others go on.
      this.#say(kind, { part, message }, colors.yellow(`! ${plain(message)}`));
    } else if (kind === 'note') {
      this.#say('note', { part, message }, `  ${plain(message)}`);
    } else if (this.out.json || (kind === 'ready' && !this.#isUp)) {
      this.#say(kind, { part, message }, colors.dim(`  ${message}`));
    }
  }

  /** The parts keep their own logs; what they call an error is worth a line here. */
  childLine(part: string, line: string): void {
    const data = parsed(line);
    if (data === undefined || (data.level !== 'error' && data.level !== 'fatal')) return;
    const why = data.err === undefined ? '' : `: ${data.err.message}`;
    this.#say(
      'error',
      { part, message: `${data.msg}${why}` },
      this.out.colors.red(`! ${part}: ${plain(data.msg + why)}`),
    );
  }

  up(stack: EmbeddedStack, values: { queue: string; maxJobs: number; agent: boolean }): void {
    this.#isUp = true;
    const url = apiUrlOf(stack.apiPort);
    const { colors } = this.out;
    const { temporalAddress, temporalUiUrl, temporalSource, startedInMs } = stack;
    const jobs =
      values.maxJobs === 1
        ? 'one job at a time'
        : values.maxJobs < 0
          ? 'any number at once'
          : `up to ${values.maxJobs} jobs at once`;
    const words = [
      '',
      colors.green(`Ready in ${(startedInMs / 1000).toFixed(1)} s`),
      '',
      `  API        ${colors.cyan(url)}`,
      `  Temporal   ${temporalAddress}${temporalUiUrl === null ? '' : `, pages at ${colors.cyan(temporalUiUrl)}`}`,
      values.agent
        ? `  Agent      runs processes on this machine, ${jobs}; the first queue is "${values.queue}"`
        : '  Agent      none here (agent: false)',
      `  Logs       ${stack.home.logs}`,
      '',
      `  ${colors.bold('eval "$(npx davit env)"')}      address and key for this shell, also for plain wandb scripts`,
      `  ${colors.bold('npx davit launch examples')}    launch the example`,
      '',
      colors.dim('Ctrl-C stops everything. Running jobs go on, and are taken up again at the next start.'),
    ];
    const document = {
      url,
      temporalAddress,
      temporalUiUrl,
      temporalSource,
      startedInMs,
      home: this.home,
      pid: process.pid,
    };
    this.#say('up', document, words.join('\n'));
  }

  stopping(): void {
    this.#isStopping = true;
    this.#say('stopping', {}, this.#isUp ? '\nStopping in order; press Ctrl-C again to end at once.' : '\nStopping.');
  }

  stoppingFast(): void {
    this.#say('stopping-fast', {}, 'Ending everything at once.');
  }

  stopped(): void {
    this.#say('stopped', {}, 'Stopped.');
  }

  #say(kind: string, document: Record<string, unknown>, words: string): void {
    this.out.line({ kind, ...document }, () => words);
  }
}

function parsed(line: string): z.infer<typeof logLine> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return logLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The sentence of a line of our own logs; other lines as they are. */
function readable(line: string): string {
  const data = parsed(line);
  return data === undefined
    ? line
    : `${data.level}: ${data.msg}${data.err === undefined ? '' : `: ${data.err.message}`}`;
}
