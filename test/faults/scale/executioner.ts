import { setTimeout as wait } from 'node:timers/promises';
import type { Stack } from '../../support/stack.js';
import type { OnStep, SeenStep } from '../support/step-proxy.js';
import type { Crew } from './crew.js';
import type { Ground } from './ground.js';
import { nameOfKill, type PlannedKill } from './plan.js';

export interface Death {
  atMs: number;
  kill: PlannedKill;
  /** Name of the agent; of the others there is one. */
  agent?: string;
  frozen: boolean;
  launchId?: string;
}

/** A trap that nobody walks into in this time is set again later. */
const patienceMs = 25_000;
const startPatienceMs = 3_000;
/** `davit up` waits longer before each start of a part that keeps dying (100 ms, doubled); one that lived for 30 s begins anew. */
const deathsInARow = 5;
const restMs = 31_000;

/** Kills at most once; not any more when its time is over. */
interface Trap {
  kill: PlannedKill;
  spring(agent: string, launchId: string | undefined): void;
  giveUp(): void;
}

/** Kills as planned, and knows what it killed when. */
export class Executioner {
  readonly deaths: Death[] = [];
  readonly missed: PlannedKill[] = [];
  private armed: Trap | undefined;
  private readonly recentMs = new Map<string, number[]>();

  constructor(
    private readonly stack: Stack,
    private readonly crew: Crew,
    private readonly ground: Ground,
  ) {}

  /** One after the other; `mayGoOn` waits until there is work enough for the next. */
  async execute(plan: readonly PlannedKill[], mayGoOn: () => Promise<void>): Promise<void> {
    const waiting = plan.map((kill) => ({ kill, tries: 3 }));
    while (waiting.length > 0) {
      await mayGoOn();
      const next = waiting.findIndex(({ kill }) => !this.isResting(kill));
      if (next < 0) {
        await wait(500);
        continue;
      }
      const [item] = waiting.splice(next, 1);
      if (item === undefined) continue;
      await wait(item.kill.pauseMs);
      const death = await this.executeOne(item.kill);
      if (death) this.deaths.push(death);
      else if (--item.tries > 0) waiting.push(item);
      else this.missed.push(item.kill);
    }
  }

  private isResting({ victim }: PlannedKill): boolean {
    if (victim === 'agent' || victim === 'engine') return false;
    const recent = this.recentMs.get(victim) ?? [];
    const last = recent.at(-1) ?? 0;
    if (Date.now() - last > restMs) this.recentMs.delete(victim);
    return Date.now() - last <= restMs && recent.length >= deathsInARow;
  }

  private async executeOne(kill: PlannedKill): Promise<Death | undefined> {
    if (kill.at === 'random') {
      const name = this.crew.someoneAlive(kill.agent);
      if (kill.victim === 'engine') return this.killNow(kill, '');
      if (name === undefined) return undefined;
      if (!kill.isFreeze) return this.killNow(kill, name);
      return this.crew.freeze(name, Math.max(4_000, kill.awayMs))
        ? { atMs: Date.now(), kill, agent: name, frozen: true }
        : undefined;
    }
    return new Promise((resolve) => {
      let isOver = false;
      const end = (death: Death | undefined): void => {
        isOver = true;
        clearTimeout(timer);
        this.armed = undefined;
        resolve(death);
      };
      const timer = setTimeout(() => end(undefined), patienceMs);
      this.armed = {
        kill,
        spring: (agent, launchId) => {
          if (!isOver) end(this.killNow(kill, agent, launchId));
        },
        giveUp: () => {
          if (!isOver) end(undefined);
        },
      };
    });
  }

  /** For the proxy. */
  readonly onStep: OnStep = async (seen) => {
    const armed = this.armed;
    if (armed === undefined || armed.kill.at === 'random') return 'go on';
    const { step, moment } = armed.kill.at;
    const { victim, delayMs } = armed.kill;
    if (step === 'create' || step === 'exit') {
      // The secrets are what submit asks for last; a job that says it runs has an exit ahead.
      if (seen.call === (step === 'create' ? 'secrets' : 'record') && seen.moment === 'done') {
        this.armed = undefined;
        void this.atFile(armed, seen, step === 'exit' ? 'exit' : moment === 'before' ? 'claim' : 'started');
      }
      return 'go on';
    }
    if (seen.call !== step || seen.moment !== moment) return 'go on';
    this.armed = undefined;
    const isInFlight = moment === 'before' && victim !== 'agent';
    if (isInFlight || moment === 'after') {
      // In the middle of the call, or while whoever asked begins with what it was told.
      void wait(delayMs).then(() => armed.spring(seen.from, seen.launchId));
      return 'go on';
    }
    armed.spring(seen.from, seen.launchId);
    return victim === 'agent' || victim === 'server' ? 'cut' : 'go on';
  };

  private async atFile(trap: Trap, seen: SeenStep, file: 'claim' | 'started' | 'exit'): Promise<void> {
    const ms = file === 'exit' ? patienceMs : startPatienceMs;
    const isThere = await this.ground.untilJob(seen.launchId ?? '', file, ms);
    if (isThere) trap.spring(seen.from, seen.launchId);
    else trap.giveUp();
  }

  /** For who listens to the store: the end of a launch was written, and its workflow does not know yet. */
  onRecorded(launchId: string): void {
    const armed = this.armed;
    if (armed === undefined || armed.kill.at === 'random' || armed.kill.at.step !== 'recorded') return;
    this.armed = undefined;
    armed.spring('', launchId);
  }

  get waitsFor(): string {
    return this.armed === undefined ? '' : nameOfKill(this.armed.kill);
  }
  get waitsForRecord(): boolean {
    const at = this.armed?.kill.at;
    return at !== undefined && at !== 'random' && at.step === 'recorded';
  }

  private killNow(kill: PlannedKill, from: string, launchId?: string): Death | undefined {
    const { victim, awayMs } = kill;
    const death = { atMs: Date.now(), kill, frozen: false, ...(launchId === undefined ? {} : { launchId }) };
    if (victim === 'agent') return this.crew.kill(from, awayMs) ? { ...death, agent: from } : undefined;
    if (victim === 'engine') return this.ground.killEngine?.(awayMs) === true ? death : undefined;
    try {
      this.stack.kill(victim);
    } catch {
      return undefined; // It is down already.
    }
    this.recentMs.set(victim, [...(this.recentMs.get(victim) ?? []), Date.now()]);
    return death;
  }
}
