import { isTerminal } from '../words.js';
import { launchesOf } from './pick-next.js';
import type { Protocol } from './protocol.js';
import { changed, holdsSlot, isQueued, putLaunch, withKey, type LaunchRow, type Lines } from './rows.js';

/** A launch between the line and an agent: claim, confirm, submit, back in line, end, cancel. Each is one transaction. */

export interface ClaimCall {
  queue: string;
  ticket: string | null;
  ticketAttempt: number;
  agent: string;
  incarnation: string;
}

export type ClaimAnswer =
  | { outcome: 'granted'; launch: string; claim: string }
  | { outcome: 'none' | 'limited' | 'paused' | 'draining' | 'quarantined' | 'stale' | 'spent' | 'superseded' };

export const claimName = (launch: string, epoch: number): string => `${launch}#${epoch}`;

export function claim(p: Protocol, before: Lines, call: ClaimCall): { lines: Lines; answer: ClaimAnswer } {
  let lines = before;
  const refuse = (outcome: Exclude<ClaimAnswer['outcome'], 'granted'>) => ({ lines, answer: { outcome } });

  const agent = lines.agents.get(call.agent);
  if (agent?.incarnation !== call.incarnation) return refuse('superseded');

  const answered = call.ticket === null ? undefined : lines.tickets.get(call.ticket);
  if (answered && call.ticket !== null) {
    if (call.ticketAttempt < answered.attempt) return refuse('stale');
    lines = {
      ...lines,
      tickets: withKey(lines.tickets, call.ticket, { ...answered, attempt: call.ticketAttempt }),
    };
    const launch = lines.launches.get(answered.launch);
    if (launch?.claim === answered.claim) {
      if (launch.state !== 'claimed') return refuse('spent');
      if (launch.agent === call.agent && launch.incarnation === call.incarnation) {
        return { lines, answer: { outcome: 'granted', launch: launch.id, claim: answered.claim } };
      }
      // Temporal gave the ticket to another agent before the first one confirmed: back to its place, then pick afresh.
      lines = putLaunch(lines, p.backInLine(launch, lines));
    }
  }

  if (agent.draining) return refuse('draining');
  if (agent.quarantined) return refuse('quarantined');
  const queue = lines.queues.get(call.queue);
  if (!queue || p.isPaused(queue)) return refuse('paused');
  const next = p.pickNext(lines, call.queue, agent.labels);
  if (!next) {
    const somebodyWaits = launchesOf(lines, call.queue).some((launch) => isQueued(launch) && launch.hold === null);
    return refuse(somebodyWaits ? 'limited' : 'none');
  }

  const taken = changed(next, {
    state: 'claimed',
    epoch: next.epoch + 1,
    claim: claimName(next.id, next.epoch + 1),
    agent: call.agent,
    incarnation: call.incarnation,
  });
  lines = putLaunch(lines, taken);
  const granted = claimName(next.id, taken.epoch);
  if (call.ticket !== null) {
    const row = { attempt: call.ticketAttempt, launch: next.id, claim: granted };
    lines = { ...lines, tickets: withKey(lines.tickets, call.ticket, row) };
  }
  return { lines, answer: { outcome: 'granted', launch: next.id, claim: granted } };
}

/** First act of supervise. False: the claim was lost, the caller is fenced. Repeated, it answers the same. */
export function confirm(
  p: Protocol,
  lines: Lines,
  launchId: string,
  claimed: string,
  incarnation: string,
): { lines: Lines; ok: boolean } {
  const launch = lines.launches.get(launchId);
  if (!launch || p.isFenced(launch, claimed) || launch.incarnation !== incarnation || !holdsSlot(launch))
    return { lines, ok: false };
  if (launch.state !== 'claimed') return { lines, ok: true };
  return { lines: putLaunch(lines, changed(launch, { state: 'preparing', due: false })), ok: true };
}

/** The last fence before a job may exist. */
export function maySubmit(p: Protocol, lines: Lines, launchId: string, claimed: string): { lines: Lines; ok: boolean } {
  const launch = lines.launches.get(launchId);
  if (!launch || p.isFenced(launch, claimed) || !holdsSlot(launch) || launch.cancelRequested)
    return { lines, ok: false };
  const state = launch.state === 'claimed' || launch.state === 'preparing' ? 'submitting' : launch.state;
  return { lines: putLaunch(lines, { ...launch, state, submitting: true }), ok: true };
}

export function reportRunning(p: Protocol, lines: Lines, launchId: string, claimed: string): Lines {
  const launch = lines.launches.get(launchId);
  if (!launch || p.isFenced(launch, claimed) || launch.state !== 'submitting') return lines;
  return putLaunch(lines, { ...launch, state: 'running' });
}

export interface GiveBack {
  launch: string;
  claim: string;
  /** Everybody but the launch's workflow may give back unconfirmed claims only. */
  unconfirmedOnly: boolean;
  nextAttempt: boolean;
}

/** Back to its own place in line. False: the claim was not the one named any more. */
export function giveBack(p: Protocol, lines: Lines, g: GiveBack): { lines: Lines; ok: boolean } {
  const launch = lines.launches.get(g.launch);
  if (!launch || p.isFenced(launch, g.claim) || !holdsSlot(launch) || (g.unconfirmedOnly && launch.state !== 'claimed'))
    return { lines, ok: false };
  const attempt = launch.attempt + (g.nextAttempt ? 1 : 0);
  return { lines: putLaunch(lines, p.backInLine({ ...launch, attempt }, lines)), ok: true };
}

/** Its workflow writes how it ended; the workflow knows it then, so nobody has to be told. */
export function recordEnd(
  p: Protocol,
  lines: Lines,
  launchId: string,
  claimed: string,
  end: 'finished' | 'failed' | 'stopped',
): { lines: Lines; ok: boolean } {
  const launch = lines.launches.get(launchId);
  if (!launch || p.isFenced(launch, claimed) || isQueued(launch)) return { lines, ok: false };
  if (isTerminal(launch.state)) return { lines, ok: true };
  return { lines: putLaunch(lines, changed(launch, { state: end, due: false })), ok: true };
}

/** Answers the state after it; undefined when there is no such launch. */
export function cancel(
  p: Protocol,
  lines: Lines,
  launchId: string,
): { lines: Lines; state: LaunchRow['state'] | undefined } {
  const launch = lines.launches.get(launchId);
  if (!launch || isTerminal(launch.state) || launch.cancelRequested) return { lines, state: launch?.state };
  const asked = { ...launch, cancelRequested: true };
  const after =
    isQueued(launch) || launch.state === 'claimed' ? p.stopped(asked) : changed(asked, { state: 'stopping' });
  return { lines: putLaunch(lines, after), state: after.state };
}
