import type { Dice } from '../../support/random.js';
import { calls, moments, type Moment, type Step } from '../support/steps.js';

export type Victim = 'agent' | 'server' | 'worker' | 'temporal' | 'engine';

/** One kill of the run: at a named step of whichever launch comes there next, or after a pause, whatever is under way then. */
export type PlannedKill = {
  victim: Victim;
  /** Before it is armed, or before it happens. */
  pauseMs: number;
  /** Agents and the Engine: how long nobody starts it again; of an agent's jobs the others of its place adopt what it held. */
  awayMs: number;
  /** Between the step and the kill. */
  delayMs: number;
} & ({ at: { step: Step; moment: Moment } } | { at: 'random'; isFreeze: boolean; agent: number });

const agentSteps: readonly (readonly [Step, Moment])[] = [
  ...calls.filter((call) => call !== 'enqueue').flatMap((call) => moments.map((moment) => [call, moment] as const)),
  ['create', 'before'],
  ['create', 'done'],
  ['exit', 'done'],
];
const serverSteps: readonly (readonly [Step, Moment])[] = [
  ...calls.flatMap((call) => moments.map((moment) => [call, moment] as const)),
  ['recorded', 'done'],
];
/** Neither is asked by anybody whom the proxy sees: what they do follows from these calls. */
const backendSteps: readonly (readonly [Step, Moment])[] = [
  ['claim', 'done'],
  ['confirm', 'done'],
  ['prepared', 'done'],
  ['submit', 'done'],
  ['record', 'done'],
  ['finish', 'after'],
  ['recorded', 'done'],
];

/** Before and after of the steps that the promise names, for a run that must be short. */
const shortSteps: readonly (readonly [Victim, Step, Moment])[] = [
  ...(['claim', 'prepare', 'prepared', 'record', 'finish'] as const).flatMap((step) =>
    (['before', 'done'] as const).map((moment) => ['agent', step, moment] as const),
  ),
  ['agent', 'claim', 'after'],
  ['agent', 'submit', 'after'],
  ['agent', 'create', 'before'],
  ['agent', 'create', 'done'],
  ['agent', 'exit', 'done'],
  ['server', 'enqueue', 'done'],
  ['server', 'claim', 'done'],
  ['server', 'submit', 'before'],
  ['server', 'record', 'done'],
  ['worker', 'claim', 'done'],
  ['worker', 'finish', 'after'],
  ['temporal', 'record', 'done'],
];

const fullSteps: readonly (readonly [Victim, Step, Moment])[] = [
  ...agentSteps.map(([step, moment]) => ['agent', step, moment] as const),
  ...serverSteps.map(([step, moment]) => ['server', step, moment] as const),
  ...(['worker', 'temporal'] as const).flatMap((victim) =>
    backendSteps.map(([step, moment]) => [victim, step, moment] as const),
  ),
];

/** All named steps in an order of chance, and between them as many kills at random moments. */
export function planKills(dice: Dice, size: 'short' | 'full', agents: number, hasEngine = false): PlannedKill[] {
  const steps = size === 'full' ? fullSteps : shortSteps;
  const randomKills = size === 'full' ? 45 : 4;
  const basics = (victim: Victim) => ({
    victim,
    pauseMs: size === 'full' ? dice.between(200, 3_000) : dice.between(50, 700),
    awayMs: victim === 'agent' && dice.chance(0.3) ? dice.between(8_000, size === 'full' ? 20_000 : 10_000) : 200,
    delayMs: dice.between(0, 8),
  });
  return dice.shuffled([
    ...steps.map(([victim, step, moment]) => ({ ...basics(victim), at: { step, moment } })),
    ...Array.from({ length: randomKills }, () => {
      const victim = dice.pick(['agent', 'agent', 'agent', 'agent', 'agent', 'server', 'worker', 'temporal'] as const);
      return {
        ...basics(victim),
        at: 'random' as const,
        // Frozen, given up by everybody, and then it goes on as if nothing had been.
        isFreeze: victim === 'agent' && dice.chance(0.2),
        agent: Math.floor(dice.between(0, agents)),
      };
    }),
    // At any moment of any job: an Engine sees all of them at once.
    ...Array.from({ length: hasEngine ? (size === 'full' ? 20 : 3) : 0 }, () => ({
      ...basics('engine'),
      awayMs: dice.between(0, 3_000),
      at: 'random' as const,
      isFreeze: false,
      agent: 0,
    })),
  ]);
}

export const nameOfKill = ({ victim, at }: PlannedKill): string =>
  at === 'random' ? `${victim} at a random moment` : `${victim} ${at.moment} ${at.step}`;
