import { pickNext } from './pick-next.js';
import type { Labels } from '../requirements.js';
import type { LaunchRow, Lines, QueueRow } from './rows.js';
import { changed } from './rows.js';
import type { Process } from './world.js';

/**
 * The decisions on which the line's promises rest. The model asks for each of them here and nowhere else, so that a test can break one on
 * purpose and see whether the rules (rules.ts), which never ask here, find it out.
 */
export interface Protocol {
  pickNext(lines: Lines, queue: string, labels: Labels): LaunchRow | undefined;
  /** The fence: is this call made under the claim that the launch has now? */
  isFenced(launch: LaunchRow, claim: string): boolean;
  /** The row of a launch that goes back in line. */
  backInLine(launch: LaunchRow, lines: Lines): LaunchRow;
  /** The row of a launch that somebody stopped before it was begun. */
  stopped(launch: LaunchRow): LaunchRow;
  /** The agent's own count of a slot, when a lease ends on whichever path. */
  letGo(process: Process, claim: string): Process;
  /** The flag, and nothing else: nothing is handed out. */
  isPaused(queue: QueueRow): boolean;
  /** The target is asked to create what is there already: it is adopted, whoever made it. */
  adopts: boolean;
  /** A name at which nothing was found is closed, so that a create that comes late is refused. */
  closesNames: boolean;
  /** What a new process of an agent counts of its earlier ones: what they have at the target, and what they may have asked it for. */
  countsEarlier: 'jobs and creates' | 'jobs' | 'nothing';
}

export const protocol: Protocol = {
  pickNext,
  isFenced: (launch, claim) => launch.claim !== claim,
  backInLine: (launch, lines) =>
    changed(launch, {
      state: launch.cancelRequested ? 'stopped' : 'queued',
      epoch: launch.epoch + 1,
      claim: null,
      agent: null,
      incarnation: null,
      submitting: false,
      queuedAt: lines.now,
    }),
  // Not due when nobody ever spoke of it: then there is no workflow that must hear of its end.
  stopped: (launch) => changed(launch, { state: 'stopped', due: launch.told || launch.due }),
  letGo(process, claim) {
    if (!process.leases.has(claim)) return process;
    const leases = new Map(process.leases);
    leases.delete(claim);
    return { ...process, leases, held: process.held - 1 };
  },
  isPaused: (queue) => queue.paused,
  adopts: true,
  closesNames: true,
  countsEarlier: 'jobs and creates',
};
