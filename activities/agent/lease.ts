import type { Failure } from '../../domain/errors.js';
import { Masks } from '../../domain/masking.js';
import type { PlanRequest } from '../../domain/job-plan.js';

/** What the API gives for a confirmed claim. */
export interface Work {
  request: PlanRequest;
  /** Milliseconds between asking the job to end and making it. */
  killGraceMs: number;
}

/** How preparing and submitting went, as supervise hears it inside the process. */
export type StartResult = { kind: 'submitted' } | { kind: 'failed'; failure: Failure } | { kind: 'stopped' };

/**
 * One claim in this process: the slot. Made when the ticket is answered (or by supervise, when that answer was lost), ended by supervise.
 * Supervise, prepare and submit of one claim are different activities of one process and meet here.
 */
export class Lease {
  readonly boundAtMs = Date.now();
  /** Supervise is at work on it: from here on it ends the lease, and nobody else. */
  begun = false;
  confirmed = false;
  /** The target was asked to create the job: from then on only the target knows whether there is one. */
  asked = false;
  submitted = false;
  /** What its job was given and nothing that it writes may show. */
  readonly masks = new Masks();
  /** Aborts prepare and submit. */
  readonly abort = new AbortController();
  private readonly workGate = gate<Work | undefined>();
  private readonly startGate = gate<StartResult>();
  private busy: Promise<unknown> = Promise.resolve();

  constructor(
    readonly launchId: string,
    readonly claim: string,
    public jobName: string | undefined,
  ) {}

  /** Resolves when the claim is confirmed; undefined when it was lost instead. */
  get work(): Promise<Work | undefined> {
    return this.workGate.promise;
  }
  confirm(work: Work | undefined): void {
    this.confirmed = work !== undefined;
    this.workGate.open(work);
  }

  get started(): Promise<StartResult> {
    return this.startGate.promise;
  }
  /** The first word counts. */
  settleStart(result: StartResult): void {
    if (result.kind === 'submitted') this.submitted = true;
    this.startGate.open(result);
  }

  /** Prepare and submit run through here, so that an abort can wait until nothing of them is under way. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.busy = running.catch(() => undefined);
    return running;
  }
  /** For a kill by name: a job that was started is followed to its end by supervise, so only what is not yet there is stopped. */
  async stopStartingUnlessStarted(): Promise<void> {
    if (!this.submitted) await this.stopStarting();
  }
  async stopStarting(): Promise<void> {
    this.abort.abort(new Error('the launch is being stopped'));
    this.confirm(undefined);
    this.settleStart({ kind: 'stopped' });
    await this.busy;
  }
}

function gate<T>(): { promise: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
