import type { AgentApi, ProgressReport } from './agent-api.js';
import { untilAnswered } from './retry.js';

/** Reports of one claim, in order. Numbers grow over processes too, so that who adopts a job does not repeat the numbers of who lost it. */
export class Reporter {
  private lastN = 0;
  private chain: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly api: AgentApi,
    private readonly launchId: string,
    private readonly claim: string,
  ) {}

  /** Sends a report behind the earlier ones, repeated until the API answers. False: the claim is lost. */
  send(report: Omit<ProgressReport, 'claim' | 'n' | 'atMs'>, signal: AbortSignal): Promise<boolean> {
    const atMs = Date.now();
    this.lastN = Math.max(this.lastN + 1, atMs);
    const full: ProgressReport = { ...report, claim: this.claim, n: this.lastN, atMs };
    const sent = this.chain.then(() => untilAnswered(signal, () => this.api.progress(this.launchId, full)));
    this.chain = sent.catch(() => undefined);
    return sent;
  }
}
