import { claim } from './claim.js';
import { answerTicket, leftOf, offerAgain } from './flows.js';
import type { Protocol } from './protocol.js';
import { withKey, without } from './rows.js';
import { hasFreeSlot } from './slots.js';
import type { StepOf } from './step.js';
import {
  polls,
  queueOfLine,
  type Answer,
  type Call,
  type Lease,
  type LineName,
  type Process,
  type World,
} from './world.js';
import { sendNote } from './workflow.js';

/** From a ticket to a bound slot. */

export function take(p: Protocol, world: World, { line, agent }: StepOf<'take'>): World {
  const process = world.processes.get(agent);
  if (!process || !polls(world, agent, line) || !hasFreeSlot(p, world, process)) return world;
  for (const [id, ticket] of world.tickets) {
    if (ticket.line !== line || ticket.takenBy !== null || process.answering.has(id)) continue;
    const answering = withKey(process.answering, id, { attempt: ticket.attempt, line, asked: false });
    return {
      ...putProcess(world, served({ ...process, answering }, line)),
      tickets: withKey(world.tickets, id, { ...ticket, takenBy: agent }),
    };
  }
  return world;
}

/** The agent asks, the store commits; the answer is on its way. */
export function ask(p: Protocol, world: World, { line, agent, tells }: StepOf<'claim'>): World {
  const process = world.processes.get(agent);
  const found = process && [...process.answering].find(([, each]) => each.line === line && !each.asked);
  if (!found) return world;
  const [ticket, { attempt }] = found;
  const { incarnation } = process;
  const call: Call = { call: 'claim', ticket, attempt, line, agent, incarnation };
  const asked = withKey(process.answering, ticket, { attempt, line, asked: true });
  const { world: after, answer } = claimNow(p, putProcess(world, { ...process, answering: asked }), call);
  const sent: World = { ...after, answers: [...after.answers, answer], calls: [...after.calls, call].slice(-40) };
  return tells && answer.granted ? sendNote(sent, answer.granted.launch) : sent;
}

export function claimNow(
  p: Protocol,
  world: World,
  call: Extract<Call, { call: 'claim' }>,
): { world: World; answer: Answer } {
  const { ticket, attempt, line, agent, incarnation } = call;
  const { lines, answer } = claim(p, world.lines, {
    queue: queueOfLine(line),
    ticket,
    ticketAttempt: attempt,
    agent,
    incarnation,
  });
  const { outcome } = answer;
  const row = outcome === 'granted' ? lines.launches.get(answer.launch) : undefined;
  const isNew = row !== undefined && world.lines.launches.get(row.id)?.claim !== row.claim;
  return {
    world: {
      ...world,
      lines,
      seen: isNew ? [...world.seen, { saw: 'granted', launch: row.id, agent, line }] : world.seen,
    },
    answer: {
      ticket,
      attempt,
      agent,
      incarnation,
      granted:
        outcome === 'granted' ? { launch: answer.launch, claim: answer.claim, attempt: row?.attempt ?? 1 } : null,
      again: outcome === 'draining' || outcome === 'quarantined' || outcome === 'superseded',
      left: leftOf(lines, line),
    },
  };
}

export function onAnswer(world: World, { agent }: StepOf<'answer-arrives'>): World {
  const answer = world.answers.find((each) => each.agent === agent);
  if (!answer) return world;
  const rest = { ...world, answers: world.answers.filter((each) => each !== answer) };
  const process = world.processes.get(agent);
  if (process?.incarnation !== answer.incarnation) return rest;
  const waited = process.answering.get(answer.ticket);
  if (waited?.attempt !== answer.attempt) return rest;
  let after: Process = { ...process, answering: without(process.answering, answer.ticket) };
  if (answer.granted) after = bind(after, answer.granted, world.lines.now);
  const bound = putProcess(rest, after);
  return answer.again
    ? offerAgain(bound, answer.ticket, answer.attempt)
    : answerTicket(bound, answer.ticket, answer.attempt, answer.left);
}

export function loseAnswer(world: World, { agent }: StepOf<'answer-lost'>): World {
  const answer = world.answers.find((each) => each.agent === agent);
  if (!answer) return world;
  const rest = { ...world, answers: world.answers.filter((each) => each !== answer) };
  const process = world.processes.get(agent);
  if (process?.incarnation !== answer.incarnation) return rest;
  const after = putProcess(rest, { ...process, answering: without(process.answering, answer.ticket) });
  return offerAgain(after, answer.ticket, answer.attempt);
}

/** Also of an agent that is only slow: it goes on with what it was doing. */
export function timeOutTicket(world: World, { line, agent }: StepOf<'ticket-times-out'>): World {
  for (const [id, ticket] of world.tickets)
    if (ticket.line === line && ticket.takenBy === agent) return offerAgain(world, id, ticket.attempt);
  return world;
}

export const putProcess = (world: World, process: Process): World => ({
  ...world,
  processes: withKey(world.processes, process.agent, process),
});

const served = (process: Process, line: LineName): Process => ({
  ...process,
  served: [...process.served.filter((each) => each !== line), line],
});

/** Takes a slot for a claim, unless it has one. */
export function bind(
  process: Process,
  granted: { launch: string; claim: string; attempt: number },
  now: number,
): Process {
  if (process.leases.has(granted.claim)) return process;
  const lease: Lease = {
    ...granted,
    boundAt: now,
    begun: false,
    confirmed: false,
    prepared: false,
    allowed: false,
    created: false,
    told: 'go',
  };
  return { ...process, leases: withKey(process.leases, lease.claim, lease), held: process.held + 1 };
}
