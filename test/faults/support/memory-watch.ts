import { readFileSync } from 'node:fs';

/** Looks at the resident memory of a process again and again, also of the ones that come after it. */
export class MemoryWatch {
  readonly beforeMiB: number;
  peakMiB = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: () => number) {
    this.beforeMiB = this.look();
    this.timer = setInterval(() => this.look(), 200).unref();
  }

  /** 0 while there is no process. */
  private look(): number {
    let status: string;
    try {
      status = readFileSync(`/proc/${this.pid()}/status`, 'utf8');
    } catch {
      return 0;
    }
    const now = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    this.peakMiB = Math.max(this.peakMiB, now);
    return now;
  }

  stop(): { beforeMiB: number; peakMiB: number; afterMiB: number } {
    clearInterval(this.timer);
    const afterMiB = this.look();
    return { beforeMiB: this.beforeMiB, peakMiB: this.peakMiB, afterMiB };
  }
}
