import type { Lease } from './lease.js';

/**
 * One pool of slots over all queues of an agent. What counts against `maxJobs`: leases (claims held by this process), tickets that are being
 * answered, and jobs at the target that are charged to this agent although no lease of this process holds them (left by an earlier process).
 *
 * A poll that held a slot while it waits would starve the other queues for the whole long poll. So a queue whose last poll came back empty
 * polls freely while any slot is free, and only a queue that just delivered needs a permit; a permit that gets no ticket in time
 * lapses, and the queue polls freely. A ticket that arrives at a full agent is handed back (`full`), which costs no history.
 *
 * Who has waited longest is next. A queue's wait begins when it may not poll or its ticket is handed back, and lasts until a ticket of it is
 * taken or a poll finds none. So while one waits, each other queue claims at most once (a busy
 * queue that claimed waits behind it then), besides what is under way in that moment: with q queues and n slots at most q - 1 + 2n claims.
 */

/** Longer than a line needs to deliver its next ticket, shorter than a person notices. */
const permitTtlMs = 500;
/**
 * For a queue whose ticket was handed back. Temporal offers it again after its retry delay, and on a server that is busy up to a second later
 * than that (`history.timerProcessorMaxTimeShift`): a shorter hold would lapse each time just before the ticket comes, and the queue would starve.
 */
const returnTtlMs = 1_250;
const shortestBreakMs = 1_000;
const longestBreakMs = 30_000;

export interface Permit {
  queue: string;
  /** Counts against the limit until it lapses, is used, or is released. */
  holds: boolean;
  used: boolean;
  timer: NodeJS.Timeout | undefined;
}

interface Reservation {
  queue: string;
  grant(permit: Permit): void;
}

export class SlotPool {
  private readonly leases = new Map<string, Lease>();
  private phantoms: ReadonlySet<string> = new Set();
  private answering = 0;
  private permits = 0;
  /** Queues that delivered with their last poll. */
  private readonly delivered = new Set<string>();
  /** Queues whose last ticket was handed back and has not come again. */
  private readonly returned = new Set<string>();
  /** Reservations that wait for a slot. */
  private readonly waiting = new Set<Reservation>();
  /** When a queue's wait began, counted over all queues of this pool. */
  private readonly waitsSince = new Map<string, number>();
  private waits = 0;
  private readonly waiters = new Set<() => void>();
  private closed = false;
  private breakUntilMs = 0;
  private breakMs = 0;

  /** @param maxJobs slots; -1 = unlimited. */
  constructor(private readonly maxJobs: number) {}

  get limit(): number {
    return this.maxJobs < 0 ? Number.POSITIVE_INFINITY : this.maxJobs;
  }

  /** Claims and jobs charged to this agent, and tickets being answered. */
  get held(): number {
    return this.charged + this.answering;
  }

  private get charged(): number {
    return this.leases.size + this.orphans;
  }

  /** Jobs charged to this agent that no lease of this process holds. */
  private get orphans(): number {
    let orphans = 0;
    for (const name of this.phantoms) if (!this.leaseOfJob(name)) orphans++;
    return orphans;
  }
  get hasOrphans(): boolean {
    return this.orphans > 0;
  }

  /** More tickets are being answered than there are slots: this one goes back. */
  get overfull(): boolean {
    return this.held > this.limit;
  }

  // Polling: called by the slot supplier of each queue's worker.

  /** Waits until this queue may poll; rejects when `signal` aborts. */
  reserve(queue: string, signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.delete(reservation);
        this.waitsSince.delete(queue);
        reject(signal.reason as Error);
      };
      const reservation: Reservation = {
        queue,
        grant: (permit) => {
          signal.removeEventListener('abort', onAbort);
          resolve(permit);
        },
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.add(reservation);
      this.admit();
      if (this.waiting.has(reservation)) this.beginWait(queue);
    });
  }

  private beginWait(queue: string): void {
    if (!this.waitsSince.has(queue)) this.waitsSince.set(queue, ++this.waits);
  }

  /** Lets in as many as may poll now, those first who have waited longest. */
  private admit(): void {
    const since = ({ queue }: Reservation): number => this.waitsSince.get(queue) ?? Number.POSITIVE_INFINITY;
    for (const reservation of [...this.waiting].sort((x, y) => since(x) - since(y) || 0)) {
      const permit = this.tryReserve(reservation.queue);
      if (!permit) return;
      this.waiting.delete(reservation);
      reservation.grant(permit);
    }
  }

  private tryReserve(queue: string): Permit | undefined {
    if (this.closed || Date.now() < this.breakUntilMs || this.held + this.permits >= this.limit) return undefined;
    const permit: Permit = { queue, holds: false, used: false, timer: undefined };
    if (this.delivered.has(queue)) {
      permit.holds = true;
      this.permits++;
      permit.timer = setTimeout(
        () => {
          this.dropHold(permit);
          this.delivered.delete(queue);
          this.returned.delete(queue);
          this.wake();
        },
        this.returned.has(queue) ? returnTtlMs : permitTtlMs,
      );
    }
    return permit;
  }

  /** A ticket came with this poll. */
  use(permit: Permit): void {
    this.dropHold(permit);
    permit.used = true;
    this.answering++;
    this.delivered.add(permit.queue);
  }

  /** The ticket was answered, or the poll came back empty. */
  release(permit: Permit): void {
    this.dropHold(permit);
    if (permit.used) this.answering--;
    else {
      this.delivered.delete(permit.queue);
      this.returned.delete(permit.queue);
      this.waitsSince.delete(permit.queue);
    }
    permit.used = false;
    this.wake();
  }

  /**
   * A ticket of this queue is here: true when there is no slot for it, so that it goes back; its queue waits on then, and is among the next.
   * False: this is its turn, and what it polls for meanwhile waits from now on.
   */
  turnsAway(queue: string): boolean {
    if (this.overfull) {
      this.beginWait(queue);
      this.returned.add(queue);
      return true;
    }
    this.returned.delete(queue);
    this.waitsSince.delete(queue);
    for (const reservation of this.waiting) if (reservation.queue === queue) this.beginWait(queue);
    return false;
  }

  private dropHold(permit: Permit): void {
    clearTimeout(permit.timer);
    if (permit.holds) this.permits--;
    permit.holds = false;
  }

  // Leases.

  add(lease: Lease): void {
    this.leases.set(lease.claim, lease);
    this.wake();
  }
  remove(lease: Lease): void {
    if (this.leases.delete(lease.claim)) this.wake();
  }
  find(claim: string): Lease | undefined {
    return this.leases.get(claim);
  }
  leaseOfJob(name: string): Lease | undefined {
    for (const lease of this.leases.values()) if (lease.jobName === name) return lease;
    return undefined;
  }
  all(): readonly Lease[] {
    return [...this.leases.values()];
  }
  /** Waits for a lease that is just being bound (the claim's answer and the supervise task race each other). */
  async waitFor(claim: string, signal: AbortSignal): Promise<Lease | undefined> {
    while (!signal.aborted) {
      const lease = this.leases.get(claim);
      if (lease) return lease;
      await this.changed(signal).catch(() => undefined);
    }
    return this.leases.get(claim);
  }

  /** Jobs at the targets that are charged to this agent and have not ended. */
  setCharged(names: ReadonlySet<string>): void {
    this.phantoms = names;
    this.wake();
  }

  // Gate.

  /** The API did not answer: no polls for a while, longer each time. */
  trip(): void {
    this.breakMs = Math.min(longestBreakMs, this.breakMs === 0 ? shortestBreakMs : this.breakMs * 2);
    this.breakUntilMs = Date.now() + this.breakMs;
    setTimeout(() => this.wake(), this.breakMs + 1).unref();
  }
  mend(): void {
    if (this.breakMs === 0) return;
    this.breakMs = 0;
    this.breakUntilMs = 0;
    this.wake();
  }
  /** No more polls, for good. */
  close(): void {
    this.closed = true;
  }

  private wake(): void {
    this.admit();
    for (const waiter of [...this.waiters]) waiter();
  }

  private changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiters.delete(done);
        reject(signal.reason as Error);
      };
      const done = (): void => {
        this.waiters.delete(done);
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      this.waiters.add(done);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
