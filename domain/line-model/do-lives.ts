import { giveBack } from './claim.js';
import { nudgeQueue } from './flows.js';
import type { Protocol } from './protocol.js';
import { putAgent, without } from './rows.js';
import type { StepOf } from './step.js';
import { onAgentLost } from './workflow.js';
import { agentSetup, type World } from './world.js';
import { arrive } from './do-place.js';
import { putProcess } from './do-tickets.js';

/** Processes of agents come and go. */

/** kill -9: what it had sent is still on its way; its jobs run on. */
export const dies = (world: World, { agent }: StepOf<'agent-dies'>): World => ({
  ...world,
  processes: without(world.processes, agent),
  answers: world.answers.filter((each) => each.agent !== agent),
});

/** SIGTERM: it waits for what it has sent and says that it goes. */
export function stops(p: Protocol, before: World, { agent }: StepOf<'agent-stops'>): World {
  const process = before.processes.get(agent);
  if (!process) return before;
  let world = before;
  for (const create of before.creates) if (create.incarnation === process.incarnation) world = arrive(p, world, create);
  for (const lease of process.leases.values()) {
    const workflow = world.workflows.get(lease.launch);
    if (workflow?.claim === lease.claim && workflow.phase.at === 'serving' && workflow.phase.begun)
      world = onAgentLost(world, lease.launch);
  }
  return dies(world, { do: 'agent-dies', agent });
}

/** A new process says hello: what the earlier one took and did not begin goes back at once. A second one beside a living one is refused. */
export function returns(p: Protocol, world: World, { agent }: StepOf<'agent-returns'>): World {
  const setup = agentSetup(world, agent);
  if (!setup || world.processes.has(agent)) return world;
  const known = world.lines.agents.get(agent);
  const incarnation = `${agent}.${Number(known?.incarnation.split('.')[1] ?? 0) + 1}`;
  let lines = putAgent(world.lines, {
    id: agent,
    incarnation,
    labels: { ...setup.labels },
    draining: known?.draining ?? false,
    quarantined: known?.quarantined ?? false,
  });
  const queues = new Set<string>();
  for (const row of world.lines.launches.values()) {
    if (row.state !== 'claimed' || row.agent !== agent || row.claim === null) continue;
    const back = giveBack(p, lines, { launch: row.id, claim: row.claim, unconfirmedOnly: true, nextAttempt: false });
    lines = back.lines;
    if (back.ok) queues.add(row.queue);
  }
  const process = { agent, incarnation, held: 0, leases: new Map(), answering: new Map(), served: [] };
  return [...queues].reduce(nudgeQueue, putProcess({ ...world, lines }, process));
}
