import type { HoldCause } from '../words.js';
import type { NewLaunch } from './accept.js';
import type { Place } from './order.js';
import type { QueueRow } from './rows.js';
import type { Call, LineName } from './world.js';

/**
 * Everything that can happen. A step names what it is about by names that stay the same when earlier steps are left out (launch, line,
 * agent), so that a history can be shortened; a step that makes no sense at its moment changes nothing.
 */
type Anything =
  // Users and operators.
  | { do: 'enqueue'; launch: NewLaunch }
  | { do: 'hold'; launch: string; cause: HoldCause; forSteps: number | null }
  | { do: 'release'; launch: string }
  | { do: 'move'; launch: string; place: Place }
  | { do: 'reprioritise'; launch: string; priority: number }
  | { do: 'transfer'; launch: string; queue: string }
  | { do: 'cancel'; launch: string }
  | { do: 'settings'; queue: string; change: Partial<Omit<QueueRow, 'id'>> }
  | { do: 'quarantine' | 'lift-quarantine' | 'drain-agent' | 'activate-agent'; agent: string }
  // The API and Temporal: messages and workflows.
  | { do: 'tell'; launch: string }
  /** `marks`: who told it lives long enough to write that down. */
  | { do: 'tell-arrives'; launch: string; newest: boolean; marks: boolean }
  | { do: 'tell-lost'; launch: string }
  | { do: 'nudge-arrives' | 'nudge-lost'; line: LineName }
  | { do: 'not-begun' | 'heartbeat-lost' | 'record' | 'workflow-terminated'; launch: string }
  | { do: 'temporal-data-lost' }
  // Sweeps.
  | { do: 'sweep-line'; line: LineName }
  | { do: 'sweep-unconfirmed' | 'sweep-release' | 'sweep-expired' | 'sweep-untold'; launch: string }
  // Tickets.
  | { do: 'take'; line: LineName; agent: string }
  /** `tells`: the API lives long enough after its commit to tell the launch's workflow. */
  | { do: 'claim'; line: LineName; agent: string; tells: boolean }
  | { do: 'answer-arrives' | 'answer-lost'; agent: string }
  | { do: 'ticket-times-out'; line: LineName; agent: string }
  // An agent's work under a claim.
  | { do: 'begin'; launch: string }
  | { do: 'confirm'; launch: string; answer: 'arrives' | 'lost' }
  | { do: 'prepared'; launch: string }
  | { do: 'prepare-fails'; launch: string }
  | { do: 'ask-submit'; launch: string; answer: 'arrives' | 'lost' }
  | { do: 'create'; launch: string }
  | { do: 'create-arrives'; launch: string }
  | { do: 'report-running'; launch: string }
  | { do: 'see-end'; launch: string }
  | { do: 'lets-go' | 'lease-expires'; agent: string }
  /** `about`: its launch, or the line of a claim. */
  | { do: 'late-call'; call: Call['call']; about: string }
  // The place.
  | { do: 'job-ends' | 'job-preempted'; launch: string }
  | { do: 'watch' | 'kill'; launch: string; agent: string }
  | { do: 'watcher-lost'; launch: string }
  // Agents' lives.
  | { do: 'agent-dies' | 'agent-returns' | 'agent-stops'; agent: string };

/** One type for each kind, so that a step's kind says what belongs to it. */
type Split<S> = S extends { do: infer K } ? (K extends string ? Omit<S, 'do'> & { do: K } : never) : never;
export type Step = Split<Anything>;

export type StepKind = Step['do'];
export type StepOf<K extends StepKind> = Extract<Step, { do: K }>;
