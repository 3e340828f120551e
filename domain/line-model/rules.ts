import { isTerminal } from '../words.js';
import { countRunning, launchesOf, pickNext, projectLimit } from './pick-next.js';
import { putLaunch, type LaunchRow } from './rows.js';
import { isAlive } from './slots.js';
import type { Step } from './step.js';
import { queueOfLine, slotsOf, type Observation, type World } from './world.js';

/** What must hold after every step. Nothing here asks the protocol: a broken one must not vouch for itself. */

export interface Violation {
  rule: Rule;
  sentence: string;
}
export type Rule =
  | 'nothing is lost'
  | 'one live claim'
  | 'started once'
  | 'slots'
  | 'order'
  | 'limits'
  | 'place'
  | 'no starvation'
  | 'quiet';

export function brokenRule(before: World, after: World, step: Step): Violation | undefined {
  return (
    (before.lines.launches === after.lines.launches
      ? undefined
      : (lost(before, after) ?? place(before, after, step))) ??
    overfull(before, after) ??
    first(after.seen, (each) => judge(before, after, each))
  );
}

function judge(before: World, after: World, seen: Observation): Violation | undefined {
  switch (seen.saw) {
    case 'granted':
      return order(before, after, seen) ?? limits(after, seen.launch);
    case 'let-pass':
      return oneClaim(before, seen);
    case 'job-began':
      return startedOnce(before, after, seen);
  }
}

/** Accepted is kept, and an end is final. */
function lost(before: World, after: World): Violation | undefined {
  for (const [id, was] of before.lines.launches) {
    const is = after.lines.launches.get(id);
    if (!is) return { rule: 'nothing is lost', sentence: `${id} is gone` };
    if (isTerminal(was.state) && is.state !== was.state)
      return { rule: 'nothing is lost', sentence: `${id} had ended as ${was.state} and is ${is.state}` };
    if (was.cancelRequested && is.state === 'queued')
      return { rule: 'nothing is lost', sentence: `somebody has stopped ${id}, and it waits again` };
    if (
      is.state === 'finished' &&
      was.state !== 'finished' &&
      !jobsOf(after, id).some(({ state }) => state === 'ended')
    )
      return { rule: 'nothing is lost', sentence: `${id} is said to have finished, and no job of it has ended` };
  }
  return undefined;
}

/** Who goes back in line has the place it had; only whom somebody moves changes places. */
function place(before: World, after: World, step: Step): Violation | undefined {
  const moved = step.do === 'move' || step.do === 'transfer' ? step.launch : undefined;
  for (const [id, was] of before.lines.launches) {
    const is = after.lines.launches.get(id);
    if (is && is !== was && id !== moved && is.rank !== was.rank)
      return { rule: 'place', sentence: `${id} lost its place in line, and nobody moved it` };
  }
  return undefined;
}

/** Leases of a living process and jobs at the target, whichever process made them. */
function overfull(before: World, after: World): Violation | undefined {
  if (before.processes === after.processes && before.jobs === after.jobs) return undefined;
  for (const { id } of after.setup.agents) {
    const held = new Set<string>();
    for (const lease of after.processes.get(id)?.leases.values() ?? [])
      held.add(`${lease.launch}, attempt ${lease.attempt}`);
    for (const job of after.jobs.values())
      if (job.agent === id && isAlive(job)) held.add(`${job.launch}, attempt ${job.attempt}`);
    const slots = slotsOf(after, id);
    if (held.size > slots)
      return { rule: 'slots', sentence: `${id} has ${slots} slots and holds ${[...held].join('; ')}` };
  }
  return undefined;
}

/** Of what could be claimed at that moment, the first was: the claim is undone and the reference asked. */
function order(
  before: World,
  after: World,
  { launch, agent, line }: Extract<Observation, { saw: 'granted' }>,
): Violation | undefined {
  const row = before.lines.launches.get(launch);
  const labels = after.lines.agents.get(agent)?.labels;
  if (!row || !labels) return undefined;
  const asBefore: LaunchRow = { ...row, state: 'queued' };
  const reference = pickNext(putLaunch(after.lines, asBefore), queueOfLine(line), labels);
  if (reference?.id === launch) return undefined;
  return {
    rule: 'order',
    sentence: `${agent} was given ${launch} while ${reference?.id ?? 'nobody'} was next in ${queueOfLine(line)}`,
  };
}

function limits(after: World, launch: string): Violation | undefined {
  const row = after.lines.launches.get(launch);
  const queue = row && after.lines.queues.get(row.queue);
  if (!queue) return undefined;
  const running = countRunning(launchesOf(after.lines, queue.id));
  const ofProject = running.byProject.get(row.project) ?? 0;
  if (running.total <= (queue.maxRunning ?? Infinity) && ofProject <= projectLimit(queue, row.project))
    return undefined;
  return {
    rule: 'limits',
    sentence: `with ${launch}, ${running.total} run in ${queue.id}, ${ofProject} of them of ${row.project}`,
  };
}

/** A claim that was lost opens nothing any more. */
function oneClaim(before: World, { launch, claim }: Extract<Observation, { saw: 'let-pass' }>): Violation | undefined {
  const has = before.lines.launches.get(launch)?.claim;
  if (has === claim) return undefined;
  return { rule: 'one live claim', sentence: `a call under ${claim} passed while the claim was ${has ?? 'nobody’s'}` };
}

/** One creation for each attempt, the next attempt only after a preemption, and none for a launch that is over. */
function startedOnce(
  before: World,
  after: World,
  began: Extract<Observation, { saw: 'job-began' }>,
): Violation | undefined {
  const row = after.lines.launches.get(began.launch);
  if (row && isTerminal(row.state))
    return { rule: 'started once', sentence: `a job of ${row.id} began although it had ended as ${row.state}` };
  if (before.jobs.has(began.name)) return { rule: 'started once', sentence: `${began.name} was created a second time` };
  for (const [name, job] of after.jobs) {
    if (job.launch !== began.launch || name === began.name || !job.ran) continue;
    if (job.attempt === began.attempt)
      return { rule: 'started once', sentence: `attempt ${job.attempt} of ${job.launch} was created twice` };
    if (job.state !== 'preempted' || job.attempt > began.attempt)
      return {
        rule: 'started once',
        sentence: `attempt ${began.attempt} of ${job.launch} began although attempt ${job.attempt} is ${job.state}`,
      };
  }
  return undefined;
}

const jobsOf = (world: World, launch: string) => [...world.jobs.values()].filter((job) => job.launch === launch);

/** When everything is healed and nothing more happens: nobody waits, nothing is held, and all agree. */
export function notQuiet(world: World): Violation | undefined {
  const broken = (sentence: string): Violation => ({ rule: 'quiet', sentence });
  for (const row of world.lines.launches.values()) {
    if (!isTerminal(row.state)) return broken(`${row.id} is stuck as ${row.state}`);
    const workflow = world.workflows.get(row.id);
    if (workflow && workflow.phase.at !== 'ended')
      return broken(`${row.id} is ${row.state}, its workflow ${workflow.phase.at}`);
    if (row.due) return broken(`${row.id} has ended and is told for ever`);
  }
  for (const process of world.processes.values()) {
    if (process.held !== 0 || process.leases.size > 0)
      return broken(`${process.agent} still holds ${process.held} slots`);
    if (process.answering.size > 0) return broken(`${process.agent} still answers a ticket`);
  }
  for (const [name, job] of world.jobs) if (isAlive(job)) return broken(`job ${name} still runs`);
  for (const ticket of world.tickets.values()) return broken(`a ticket is still out on ${ticket.line}`);
  for (const line of world.flows.keys()) return broken(`the line workflow of ${line} still waits`);
  return undefined;
}

function first<T, R>(from: readonly T[], find: (each: T) => R | undefined): R | undefined {
  for (const each of from) {
    const found = find(each);
    if (found !== undefined) return found;
  }
  return undefined;
}
