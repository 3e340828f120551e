/** Temporal's names: task queues, workflow ids. Each is built here and nowhere else. */

/** Workflows and the control activities. Served by control workers only. */
export const controlTaskQueue = 'launch-control';

/**
 * Tickets of one line of a launch queue. Any agent that serves the queue, has the labels that the line's launches require (class: their hash,
 * empty when none are) and a free slot.
 */
export const lineTaskQueue = (entity: string, queue: string, lineClass = ''): string =>
  `launch.${entity}.${queue}${lineClass === '' ? '' : `.${lineClass}`}`;

/** One process of one agent: what must run where the slot is held. */
export const privateTaskQueue = (agentId: string, incarnation: string): string => `agent.${agentId}.${incarnation}`;

/**
 * Watch, kill and clean-up of jobs that can be seen from one place. Never paused, never behind a full agent. The place is part of the name
 * because only agents there can say that a job is absent (docs/decisions/0003-watch-queues-by-place.md).
 */
export const watchTaskQueue = (target: string, place: string): string => `target.${target}.${place}.watch`;

export const launchWorkflowId = (launchId: string): string => `launch/${launchId}`;
/** Undefined: somebody started the workflow by hand, under a name of their own. */
export const launchIdOf = (workflowId: string): string | undefined => /^launch\/(.+)$/.exec(workflowId)?.[1];
export const lineWorkflowId = (entity: string, queue: string, lineClass = ''): string =>
  `line/${entity}/${queue}${lineClass === '' ? '' : `/${lineClass}`}`;

export const workflowTypes = { launch: 'launch', line: 'line', queue: 'queue' } as const;
