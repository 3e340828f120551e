import type { Protocol } from './protocol.js';
import { holdsSlot } from './rows.js';
import type { Job, Process, World } from './world.js';
import { slotsOf } from './world.js';

/**
 * The agent's count of its slots: leases, tickets being answered, and what its earlier processes have at the target, or may have there: a
 * create can still be on its way when the process that sent it is dead.
 */
export function takenSlots(p: Protocol, world: World, process: Process): number {
  const own = process.held + process.answering.size;
  return own + earlierJobs(p, world, process);
}

export const hasFreeSlot = (p: Protocol, world: World, process: Process): boolean =>
  takenSlots(p, world, process) < slotsOf(world, process.agent);

function earlierJobs(p: Protocol, world: World, process: Process): number {
  if (p.countsEarlier === 'nothing') return 0;
  const leased = new Set([...process.leases.values()].map(({ launch, attempt }) => `${launch}/${attempt}`));
  const charged = new Set<string>();
  for (const job of world.jobs.values()) {
    if (isAlive(job) && job.agent === process.agent) charged.add(`${job.launch}/${job.attempt}`);
  }
  for (const row of p.countsEarlier === 'jobs' ? [] : world.lines.launches.values()) {
    if (row.agent === process.agent && row.submitting && holdsSlot(row) && !isOver(world, row.id, row.attempt))
      charged.add(`${row.id}/${row.attempt}`);
  }
  let count = 0;
  for (const key of charged) if (!leased.has(key)) count++;
  return count;
}

export const isAlive = (job: Job): boolean => job.state === 'running';

const isOver = (world: World, launch: string, attempt: number): boolean => {
  for (const job of world.jobs.values())
    if (job.launch === launch && job.attempt === attempt && !isAlive(job)) return true;
  return false;
};
