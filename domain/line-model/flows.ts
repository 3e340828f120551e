import {
  emptyLine,
  isDrained,
  maxTicketsOut,
  onAnswer,
  onIssue,
  onMore,
  toIssue,
  type LineState,
} from '../line-flow.js';
import { countRunning, launchesOf, projectLimit } from './pick-next.js';
import { isQueued, withKey, without, type Lines } from './rows.js';
import { lineOf, queueOfLine, type LineName, type World } from './world.js';

/** Line workflows and their tickets. The rule of how many are out is the real one (domain/line-flow.ts). */

/** Launches of the line that could be claimed now, as far as they are worth a ticket. */
export function leftOf(lines: Lines, line: LineName): number {
  const queue = lines.queues.get(queueOfLine(line));
  if (!queue || queue.paused) return 0;
  const launches = launchesOf(lines, queue.id);
  const running = countRunning(launches);
  const waiting = new Map<string, number>();
  for (const launch of launches) {
    if (isQueued(launch) && launch.hold === null && lineOf(launch) === line)
      waiting.set(launch.project, (waiting.get(launch.project) ?? 0) + 1);
  }
  let ready = 0;
  for (const [project, n] of waiting) {
    const room = projectLimit(queue, project) - (running.byProject.get(project) ?? 0);
    ready += Math.max(0, Math.min(n, room));
  }
  const room = Math.max(0, (queue.maxRunning ?? Infinity) - running.total);
  return Math.min(ready, room, maxTicketsOut + 1);
}

/** Somebody is to tell the lines of a queue that there is more to claim; the note may be lost. */
export function nudgeQueue(world: World, queue: string): World {
  const lines = new Set<LineName>();
  for (const launch of launchesOf(world.lines, queue)) if (isQueued(launch)) lines.add(lineOf(launch));
  return [...lines].reduce(nudge, world);
}

export function nudge(world: World, line: LineName): World {
  const left = leftOf(world.lines, line);
  if (left === 0) return world;
  return { ...world, nudges: withKey(world.nudges, line, Math.max(left, world.nudges.get(line) ?? 0)) };
}

export const tellMore = (world: World, line: LineName, left: number): World =>
  issue(world, line, onMore(world.flows.get(line) ?? emptyLine, left));

function issue(world: World, line: LineName, from: LineState): World {
  let state = from;
  const tickets = new Map(world.tickets);
  let issued = world.ticketsIssued;
  for (let n = toIssue(state); n > 0; n--) {
    state = onIssue(state);
    tickets.set(`t${++issued}`, { line, attempt: 1, notesAtIssue: state.notes, takenBy: null });
  }
  const flows = isDrained(state) ? without(world.flows, line) : withKey(world.flows, line, state);
  return { ...world, flows, tickets, ticketsIssued: issued };
}

/** The ticket's activity has ended for Temporal. An answer of an earlier attempt is refused. */
export function answerTicket(world: World, id: string, attempt: number, left: number): World {
  const ticket = world.tickets.get(id);
  if (ticket?.attempt !== attempt || ticket.takenBy === null) return world;
  const gone = { ...world, tickets: without(world.tickets, id) };
  const flow = world.flows.get(ticket.line);
  return flow ? issue(gone, ticket.line, onAnswer(flow, left, ticket.notesAtIssue)) : gone;
}

/** Failed or timed out: Temporal offers it again. */
export function offerAgain(world: World, id: string, attempt: number): World {
  const ticket = world.tickets.get(id);
  if (ticket?.attempt !== attempt || ticket.takenBy === null) return world;
  return { ...world, tickets: withKey(world.tickets, id, { ...ticket, attempt: attempt + 1, takenBy: null }) };
}
