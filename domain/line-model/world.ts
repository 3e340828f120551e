import type { LaunchState } from '../words.js';
import { canonicalLabels, satisfies } from '../requirements.js';
import type { LineState } from '../line-flow.js';
import { emptyLines, type LaunchRow, type Lines } from './rows.js';

/**
 * The line with everything around it that can die: Temporal's half (line workflows, tickets, launch workflows), agents' processes, the jobs
 * at the target, and what is on its way between them. Plain values; a step (step.ts) makes the next world from the last.
 */
export interface World {
  readonly lines: Lines;
  readonly flows: ReadonlyMap<LineName, LineState>;
  /** `more` notes on their way. */
  readonly nudges: ReadonlyMap<LineName, number>;
  readonly tickets: ReadonlyMap<string, Ticket>;
  readonly ticketsIssued: number;
  /** Agent name -> its living process. */
  readonly processes: ReadonlyMap<string, Process>;
  /** Answers to claims, committed and on their way. */
  readonly answers: readonly Answer[];
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly tells: readonly Note[];
  readonly jobs: ReadonlyMap<string, Job>;
  readonly creates: readonly Create[];
  /** Calls that were made: a network may deliver any of them once more, at any time. */
  readonly calls: readonly Call[];
  readonly setup: Setup;
  /** What the last step brought to light; rules look at it. */
  readonly seen: readonly Observation[];
}

/** What does not change in a history. */
export interface Setup {
  readonly agents: readonly AgentSetup[];
  readonly slots: Readonly<Record<string, number>>;
}
export interface AgentSetup {
  readonly id: string;
  readonly queues: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Queue and class of required labels, `gpu-jobs` or `gpu-jobs/{"gpu":"a100"}`: each has a line workflow and a task queue. */
export type LineName = string;
export const lineOf = (launch: { queue: string; requires: Readonly<Record<string, string>> }): LineName => {
  const labels = canonicalLabels(launch.requires);
  return labels === '' ? launch.queue : `${launch.queue}/${labels}`;
};
export const queueOfLine = (line: LineName): string => line.split('/')[0] ?? line;

export interface Ticket {
  readonly line: LineName;
  readonly attempt: number;
  readonly notesAtIssue: number;
  /** The agent that has it; null: it is offered. */
  readonly takenBy: string | null;
}

/** A living process of an agent. */
export interface Process {
  readonly agent: string;
  readonly incarnation: string;
  /** Its own count of slots taken by leases. */
  readonly held: number;
  readonly leases: ReadonlyMap<string, Lease>;
  /** Tickets that it is answering: they have a slot reserved. */
  readonly answering: ReadonlyMap<
    string,
    { readonly attempt: number; readonly line: LineName; readonly asked: boolean }
  >;
  /** Lines in the order of their last tickets here, the latest last: those that waited longer are asked first, whatever a ticket was worth. */
  readonly served: readonly LineName[];
}

/** One claim in a process: the slot. */
export interface Lease {
  readonly launch: string;
  readonly claim: string;
  readonly attempt: number;
  readonly boundAt: number;
  readonly begun: boolean;
  readonly confirmed: boolean;
  /** Prepare is done and submit has been scheduled here. */
  readonly prepared: boolean;
  /** The store allowed this claim to submit. */
  readonly allowed: boolean;
  readonly created: boolean;
  readonly told: 'go' | 'stop';
}

export interface Answer {
  readonly ticket: string;
  readonly attempt: number;
  readonly agent: string;
  readonly incarnation: string;
  readonly granted: { readonly launch: string; readonly claim: string; readonly attempt: number } | null;
  /** The agent may take nothing now: the ticket is for somebody else. */
  readonly again: boolean;
  readonly left: number;
}

/** What a launch's workflow is told of the row. */
export interface Note {
  readonly launch: string;
  readonly v: number;
  readonly state: LaunchState;
  readonly claim: string | null;
  readonly agent: string | null;
  readonly incarnation: string | null;
  readonly attempt: number;
  readonly cancelRequested: boolean;
}

export type Phase =
  | { readonly at: 'waiting' }
  /** Supervise, prepare and submit on the agent that holds the claim. */
  | { readonly at: 'serving'; readonly begun: boolean; readonly submitScheduled: boolean; readonly killed: boolean }
  /** `by`: the agent that found the job and follows it. */
  | { readonly at: 'watching'; readonly by: string | null }
  | { readonly at: 'recording'; readonly end: 'finished' | 'failed' | 'stopped' }
  | { readonly at: 'returning'; readonly nextAttempt: boolean }
  | { readonly at: 'ended' };

export interface Workflow {
  readonly note: Note;
  /** The claim that it deals with, or dealt with last. */
  readonly claim: string | null;
  /** Of that claim. */
  readonly attempt: number;
  readonly incarnation: string | null;
  readonly phase: Phase;
}

export interface Job {
  readonly launch: string;
  readonly attempt: number;
  /** Whose slots it takes. */
  readonly agent: string;
  readonly state: 'running' | 'ended' | 'preempted' | 'killed' | 'closed';
  /** It did run: `closed` names never did. */
  readonly ran: boolean;
}

export interface Create {
  readonly launch: string;
  readonly attempt: number;
  readonly agent: string;
  readonly incarnation: string;
  readonly claim: string;
}

export type Call =
  | ({ readonly call: 'create' } & Create)
  | {
      readonly call: 'claim';
      readonly ticket: string;
      readonly attempt: number;
      readonly line: LineName;
      readonly agent: string;
      readonly incarnation: string;
    }
  | {
      readonly call: 'confirm' | 'submit' | 'give-back' | 'running';
      readonly launch: string;
      readonly claim: string;
      readonly incarnation: string;
    };

/** By what a call is found again: its launch, or the line of a claim. */
export const aboutOf = (call: Call): string => (call.call === 'claim' ? call.line : call.launch);

export type Observation =
  | { readonly saw: 'granted'; readonly launch: string; readonly agent: string; readonly line: LineName }
  /** The store let a call of this claim pass. */
  | { readonly saw: 'let-pass'; readonly launch: string; readonly claim: string }
  | { readonly saw: 'job-began'; readonly launch: string; readonly attempt: number; readonly name: string };

export const emptyWorld: World = {
  lines: emptyLines,
  flows: new Map(),
  nudges: new Map(),
  tickets: new Map(),
  ticketsIssued: 0,
  processes: new Map(),
  answers: [],
  workflows: new Map(),
  tells: [],
  jobs: new Map(),
  creates: [],
  calls: [],
  setup: { agents: [], slots: {} },
  seen: [],
};

export const agentSetup = (world: World, agent: string): AgentSetup | undefined =>
  world.setup.agents.find((each) => each.id === agent);

/** Does this agent poll this line? It serves the queue and has the labels of the class. */
export function polls(world: World, agent: string, line: LineName): boolean {
  const setup = agentSetup(world, agent);
  if (!setup?.queues.includes(queueOfLine(line))) return false;
  const labels = line.includes('/') ? line.slice(line.indexOf('/') + 1) : '';
  return satisfies(
    { ...setup.labels },
    labels === '' ? {} : Object.fromEntries(JSON.parse(labels) as [string, string][]),
  );
}

export const noteOf = (row: LaunchRow): Note => ({
  launch: row.id,
  v: row.v,
  state: row.state,
  claim: row.claim,
  agent: row.agent,
  incarnation: row.incarnation,
  attempt: row.attempt,
  cancelRequested: row.cancelRequested,
});

export const slotsOf = (world: World, agent: string): number => world.setup.slots[agent] ?? 0;
