import { StringDecoder } from 'node:string_decoder';
import type { BuildStatus, Time, Vertex } from './protocol.js';

/** The step that a build failed at. */
export interface FailedStep {
  /** `[3/5] RUN make` */
  name: string;
  error: string;
  /** The end of what it printed. */
  output: string;
}

interface Step {
  number: number;
  name: string;
  said: 'started' | 'ended' | undefined;
  output: string;
  decoder: StringDecoder;
  /** The line that is not finished yet. */
  partial: string;
}

/** Enough to find the reason of a failure in it. */
const keptCharacters = 16 * 1024;

/** A build's status as lines of a log, each with the number of its step: steps run side by side. */
export class Progress {
  private readonly steps = new Map<string, Step>();
  private failure: FailedStep | undefined;

  constructor(private readonly onLog: (text: string) => void) {}

  get failed(): FailedStep | undefined {
    return this.failure;
  }

  take({ vertexes, logs }: BuildStatus): void {
    for (const vertex of vertexes) this.begin(vertex);
    for (const { vertex, msg } of logs) this.print(vertex, msg);
    for (const vertex of vertexes) this.end(vertex);
  }

  private stepOf(digest: string): Step {
    let step = this.steps.get(digest);
    if (!step) {
      const number = this.steps.size + 1;
      step = { number, name: '', said: undefined, output: '', decoder: new StringDecoder('utf8'), partial: '' };
      this.steps.set(digest, step);
    }
    return step;
  }

  private begin(vertex: Vertex): void {
    const step = this.stepOf(vertex.digest);
    step.name ||= vertex.name;
    if (vertex.started === null || step.said !== undefined) return;
    step.said = 'started';
    this.onLog(`#${step.number} ${step.name}\n`);
  }

  private print(digest: string, data: Buffer): void {
    const step = this.stepOf(digest);
    const text = step.decoder.write(data);
    step.output = (step.output + text).slice(-keptCharacters);
    // A bar that redraws itself counts as its last state.
    const lines = (step.partial + text).split('\n').map((line) => line.replace(/^.*\r(?!$)/, ''));
    step.partial = lines.pop() ?? '';
    if (lines.length > 0) this.onLog(lines.map((line) => `#${step.number} ${line.replace(/\r$/, '')}\n`).join(''));
  }

  private end(vertex: Vertex): void {
    const step = this.stepOf(vertex.digest);
    if (vertex.completed === null || step.said === 'ended') return;
    step.said = 'ended';
    if (step.partial !== '') this.onLog(`#${step.number} ${step.partial}\n`);
    step.partial = '';
    this.onLog(`#${step.number} ${endWords(vertex)}\n`);
    // Steps that were stopped because another one failed are not the reason.
    if (vertex.error !== '' && !/context canceled/i.test(vertex.error))
      this.failure ??= { name: step.name, error: vertex.error, output: step.output };
  }
}

function endWords({ error, cached, started, completed }: Vertex): string {
  if (error !== '') return `ERROR: ${error}`;
  if (cached) return 'CACHED';
  return started === null || completed === null
    ? 'DONE'
    : `DONE ${(secondsOf(completed) - secondsOf(started)).toFixed(1)}s`;
}

const secondsOf = ({ seconds, nanos }: Time): number => seconds + nanos / 1e9;
