import * as agent from './do-agent.js';
import * as lives from './do-lives.js';
import * as people from './do-people.js';
import * as place from './do-place.js';
import * as temporal from './do-temporal.js';
import * as tickets from './do-tickets.js';
import type { Protocol } from './protocol.js';
import type { Step } from './step.js';
import type { World } from './world.js';

/** The next world. Pure, and total: a step that makes no sense at its moment changes nothing but the time. */
export function apply(p: Protocol, before: World, step: Step): World {
  const { lines } = before;
  return act(p, { ...before, lines: { ...lines, now: lines.now + 1 }, seen: [] }, step);
}

function act(p: Protocol, world: World, step: Step): World {
  switch (step.do) {
    case 'enqueue':
      return people.accept(world, step);
    case 'hold':
    case 'release':
    case 'move':
    case 'reprioritise':
    case 'transfer':
      return people.change(world, step);
    case 'cancel':
      return people.stop(p, world, step);
    case 'settings':
      return people.settings(world, step);
    case 'quarantine':
    case 'lift-quarantine':
    case 'drain-agent':
    case 'activate-agent':
      return people.agentFlags(world, step);
    case 'tell':
      return temporal.tell(world, step);
    case 'tell-arrives':
      return temporal.tellArrives(world, step);
    case 'tell-lost':
      return temporal.tellLost(world, step);
    case 'nudge-arrives':
      return temporal.nudgeArrives(world, step);
    case 'nudge-lost':
      return temporal.nudgeLost(world, step);
    case 'not-begun':
      return temporal.notBegun(world, step);
    case 'heartbeat-lost':
      return temporal.heartbeatLost(world, step);
    case 'record':
      return temporal.record(p, world, step);
    case 'workflow-terminated':
      return temporal.terminate(world, step);
    case 'temporal-data-lost':
      return temporal.loseTemporal(world);
    case 'sweep-line':
      return temporal.sweepLine(world, step);
    case 'sweep-unconfirmed':
    case 'sweep-release':
    case 'sweep-expired':
    case 'sweep-untold':
      return temporal.sweepRow(p, world, step);
    case 'take':
      return tickets.take(p, world, step);
    case 'claim':
      return tickets.ask(p, world, step);
    case 'answer-arrives':
      return tickets.onAnswer(world, step);
    case 'answer-lost':
      return tickets.loseAnswer(world, step);
    case 'ticket-times-out':
      return tickets.timeOutTicket(world, step);
    case 'begin':
      return agent.begin(p, world, step);
    case 'confirm':
      return agent.confirm(p, world, step);
    case 'prepared':
      return agent.prepared(world, step);
    case 'prepare-fails':
      return agent.prepareFails(p, world, step);
    case 'ask-submit':
      return agent.askSubmit(p, world, step);
    case 'create':
      return agent.create(world, step);
    case 'create-arrives':
      return place.createArrives(p, world, step);
    case 'report-running':
      return agent.reportRunning(p, world, step);
    case 'see-end':
      return agent.seeEnd(p, world, step);
    case 'lets-go':
      return agent.letsGo(p, world, step);
    case 'lease-expires':
      return agent.leaseExpires(p, world, step);
    case 'late-call':
      return agent.lateCall(p, world, step);
    case 'job-ends':
    case 'job-preempted':
      return place.jobEnds(world, step);
    case 'watch':
      return place.watch(p, world, step);
    case 'kill':
      return place.kill(p, world, step);
    case 'watcher-lost':
      return place.watcherLost(world, step);
    case 'agent-dies':
      return lives.dies(world, step);
    case 'agent-returns':
      return lives.returns(p, world, step);
    case 'agent-stops':
      return lives.stops(p, world, step);
  }
}
