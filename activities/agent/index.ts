import type { AgentActivities, TicketActivities, WatchActivities } from '../contract.js';
import type { AgentDeps } from './deps.js';
import { startActivities } from './start-job.js';
import { superviseActivity } from './supervise.js';
import { ticketActivity } from './ticket.js';
import { watchActivities } from './watch.js';

/** The agent's activities by the kind of task queue they are served on. */
export function agentActivities(deps: AgentDeps): {
  line: TicketActivities;
  own: AgentActivities;
  place: WatchActivities;
} {
  return {
    line: ticketActivity(deps),
    own: { ...superviseActivity(deps), ...startActivities(deps) },
    place: watchActivities(deps),
  };
}
