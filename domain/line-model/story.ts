import { canonicalLabels } from '../requirements.js';
import { apply } from './apply.js';
import { heal } from './heal.js';
import type { Place } from './order.js';
import type { Protocol } from './protocol.js';
import { brokenRule } from './rules.js';
import type { Failure } from './simulate.js';
import type { Step } from './step.js';
import type { World } from './world.js';

/** A failing history as a person reads it: what was there, what happened, and what each step changed. */
export function storyOf(p: Protocol, failure: Failure): string[] {
  const story = [...setting(failure.opening), ''];
  let world = failure.opening;
  const tell = (step: Step, n: string): boolean => {
    const after = apply(p, world, step);
    const effects = changes(world, after);
    const isBroken = brokenRule(world, after, step) !== undefined;
    if (effects.length > 0 || isBroken || n !== '')
      story.push(`${n.padStart(4)}  ${[said(step), ...effects].join(' · ')}`);
    world = after;
    return isBroken;
  };
  let isBroken = false;
  for (const [n, step] of failure.history.entries()) isBroken = tell(step, `${n + 1}`);
  if (!isBroken) {
    story.push('', '      now all faults are over, and everything that can happen does:');
    const begun = story.length;
    heal(
      p,
      () => world,
      (step) => {
        const before = world;
        tell(step, '');
        return brokenRule(before, world, step);
      },
    );
    // What never comes to rest repeats itself.
    const most = 20;
    if (story.length > begun + 2 * most) story.splice(begun + most, story.length - begun - 2 * most, '      …');
  }
  story.push('', `broken: ${failure.rule}: ${failure.sentence}`);
  return story;
}

function setting({ lines, setup }: World): string[] {
  const queues = [...lines.queues.values()].map((queue) => {
    const { id, discipline, maxRunning, maxRunningPerProject, projects, maxWaiting, ttl } = queue;
    const limits = { maxRunning, maxRunningPerProject, maxWaiting, ttl };
    const told = Object.entries(limits).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
    const shares = Object.entries(projects).map(
      ([name, { maxRunning, weight }]) =>
        `${name} weighs ${weight}${maxRunning === null ? '' : `, at most ${maxRunning}`}`,
    );
    return `queue ${[id, discipline, ...told, ...shares].join(', ')}`;
  });
  const agents = setup.agents.map(({ id, queues, labels }) => {
    const has = canonicalLabels({ ...labels });
    return `agent ${id}: ${setup.slots[id] ?? 0} slots, serves ${queues.join(', ') || 'nothing'}${has === '' ? '' : `, labels ${has}`}`;
  });
  return [...queues, ...agents];
}

const placeOf = (place: Place): string =>
  'to' in place ? `to the ${place.to}` : 'before' in place ? `before ${place.before}` : `after ${place.after}`;

function said(step: Step): string {
  switch (step.do) {
    case 'enqueue': {
      const { id, queue, project, priority, requires, held, ttl } = step.launch;
      const needs = canonicalLabels({ ...requires });
      const more = [
        needs === '' ? '' : `requires ${needs}`,
        held ? 'held' : '',
        ttl === null ? '' : `for ${ttl} steps`,
      ];
      return [
        `enqueue ${id} in ${queue} for ${project}, priority ${priority}`,
        ...more.filter((each) => each !== ''),
      ].join(', ');
    }
    case 'move':
      return `move ${step.launch} ${placeOf(step.place)}`;
    case 'settings':
      return `settings of ${step.queue}: ${JSON.stringify(step.change)}`;
    default: {
      const { do: kind, ...about } = step;
      return `${kind} ${Object.entries(about)
        .map(([name, value]) =>
          name === 'launch' || name === 'agent' || name === 'line' ? String(value) : `${name}: ${String(value)}`,
        )
        .join(', ')}`;
    }
  }
}

function changes(before: World, after: World): string[] {
  const told: string[] = [];
  for (const [id, is] of after.lines.launches) {
    const was = before.lines.launches.get(id);
    if (!was || was === is) continue;
    if (was.state !== is.state || was.claim !== is.claim)
      told.push(
        `${id} ${was.state} → ${is.state}${is.claim !== null && is.claim !== was.claim ? ` by ${is.agent ?? ''} (${is.claim})` : ''}`,
      );
    if (was.rank !== is.rank) told.push(`${id} has another place`);
    if (was.attempt !== is.attempt) told.push(`${id} is at attempt ${is.attempt}`);
  }
  for (const [id, is] of after.workflows) {
    const was = before.workflows.get(id);
    if (was?.phase.at !== is.phase.at) told.push(`workflow of ${id}: ${is.phase.at}`);
  }
  for (const [name, is] of after.jobs) {
    const was = before.jobs.get(name);
    if (was?.state !== is.state) told.push(`${name} ${is.state}`);
  }
  for (const [agent, is] of after.processes) {
    const was = before.processes.get(agent);
    if (was && was.held !== is.held) told.push(`${agent} holds ${is.held}`);
  }
  return told;
}
