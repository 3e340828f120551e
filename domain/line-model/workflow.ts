import { afterLoss, nextStep } from '../launch-flow.js';
import { putLaunch, withKey } from './rows.js';
import { noteOf, type Lease, type Note, type Phase, type Workflow, type World } from './world.js';

/** A launch's workflow. What it does next is decided by the real rule (domain/launch-flow.ts). */

export const setPhase = (world: World, launch: string, phase: Phase): World => {
  const workflow = world.workflows.get(launch);
  if (!workflow) return world;
  return { ...world, workflows: withKey(world.workflows, launch, advance({ ...workflow, phase })) };
};

/** Nothing more to do under its claim: looks at the newest note. */
export const waitAgain = (world: World, launch: string): World => setPhase(world, launch, { at: 'waiting' });

function advance(workflow: Workflow): Workflow {
  if (workflow.phase.at !== 'waiting') return workflow;
  const { note } = workflow;
  const flow = { state: note.state, ...(note.claim === null ? {} : { claim: { id: note.claim } }) };
  const step = nextStep(flow, workflow.claim ?? undefined);
  if (step === 'wait') return workflow;
  if (step === 'end') return { ...workflow, phase: { at: 'ended' } };
  const taken = { ...workflow, claim: note.claim, attempt: note.attempt, incarnation: note.incarnation };
  return step === 'serve'
    ? { ...taken, phase: { at: 'serving', begun: false, submitScheduled: false, killed: false } }
    : { ...taken, phase: { at: 'watching', by: null } };
}

/** Signal-with-start: a workflow that is not there, or has ended, begins with the note. */
export function deliver(world: World, note: Note): World {
  const there = world.workflows.get(note.launch);
  const open = there && there.phase.at !== 'ended' ? there : undefined;
  if (open && note.v <= open.note.v) return world;
  const next: Workflow = open
    ? { ...open, note }
    : { note, claim: null, attempt: note.attempt, incarnation: null, phase: { at: 'waiting' } };
  return { ...world, workflows: withKey(world.workflows, note.launch, advance(next)) };
}

/**
 * Who told it writes that down. An unconfirmed claim stays due. A note that was older than the row may have begun a workflow that knows
 * nothing of what happened since (the one before it had ended, or was terminated): the row is told again.
 */
export function markTold(world: World, note: Note): World {
  const row = world.lines.launches.get(note.launch);
  if (!row) return world;
  const due = row.v > note.v ? true : row.state === 'claimed' && row.due;
  return { ...world, lines: putLaunch(world.lines, { ...row, told: true, due }) };
}

/** Reads the row and sends it; what becomes of the message is another step. */
export function sendNote(world: World, launch: string): World {
  const row = world.lines.launches.get(launch);
  if (!row?.due || world.tells.filter((each) => each.launch === launch).length >= 3) return world;
  return { ...world, tells: [...world.tells, noteOf(row)] };
}

/** Was a stop asked for while this claim held the launch, as far as the workflow knows? */
export const knowsOfCancel = ({ note, claim }: Workflow): boolean => note.claim === claim && note.cancelRequested;

/** Nobody asks for this lease any more: its workflow has gone on without it. */
export const isAbandoned = (world: World, lease: Lease): boolean => {
  const workflow = world.workflows.get(lease.launch);
  return !(workflow?.claim === lease.claim && workflow.phase.at === 'serving' && workflow.phase.begun);
};

export type EndOfJob = 'ended' | 'preempted' | 'killed' | 'never-ran';

/** The job, or the place where it would be, has said how it ended. */
export function onEnd(world: World, launch: string, end: EndOfJob): World {
  const workflow = world.workflows.get(launch);
  if (!workflow) return world;
  const cancelled = knowsOfCancel(workflow);
  switch (end) {
    case 'ended':
      return setPhase(world, launch, { at: 'recording', end: 'finished' });
    case 'killed':
      return setPhase(world, launch, { at: 'recording', end: cancelled ? 'stopped' : 'failed' });
    case 'preempted':
    case 'never-ran':
      return setPhase(
        world,
        launch,
        cancelled ? { at: 'recording', end: 'stopped' } : { at: 'returning', nextAttempt: true },
      );
  }
}

/** Its agent is gone, or is taken to be. */
export function onAgentLost(world: World, launch: string): World {
  const workflow = world.workflows.get(launch);
  if (workflow?.phase.at !== 'serving') return world;
  if (afterLoss(workflow.phase.submitScheduled) === 'watch')
    return setPhase(world, launch, { at: 'watching', by: null });
  const phase: Phase = knowsOfCancel(workflow)
    ? { at: 'recording', end: 'stopped' }
    : { at: 'returning', nextAttempt: false };
  return setPhase(world, launch, phase);
}
