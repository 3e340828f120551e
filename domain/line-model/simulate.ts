import { apply } from './apply.js';
import { choose, weights } from './choose.js';
import { Dice } from './dice.js';
import { heal } from './heal.js';
import { opening } from './opening.js';
import { protocol, type Protocol } from './protocol.js';
import { brokenRule, type Violation } from './rules.js';
import { shrink } from './shrink.js';
import type { Step, StepKind } from './step.js';
import type { World } from './world.js';

/**
 * Random histories of the line, every rule checked after every step. A run is many histories, each from its own opening and each healed at
 * its end: a history that goes wrong is short from the start, and what never comes to rest is found.
 */

export interface Simulation {
  seed: number;
  steps: number;
  histories: number;
  /** Steps that healed histories: not counted in `steps`, checked all the same. */
  healing: number;
  byKind: Readonly<Partial<Record<StepKind, number>>>;
  launches: number;
  failure?: Failure;
}

export interface Failure extends Violation {
  opening: World;
  /** The shortest history found that breaks the same rule. */
  history: readonly Step[];
  /** How long it was when it was found. */
  foundWith: number;
}

export function simulate(seed: number, steps: number, p: Protocol = protocol): Simulation {
  const dice = new Dice(seed);
  const byKind: Partial<Record<StepKind, number>> = {};
  const result = { seed, steps: 0, histories: 0, healing: 0, launches: 0 };
  while (result.steps < steps) {
    const world = opening(dice);
    const length = Math.min(steps - result.steps, dice.pick([60, 150, 400, 800]));
    const run = new Run(p, world);
    const calm = mood(dice);
    for (const { id: agent } of world.setup.agents) run.act({ do: 'agent-returns', agent });
    while (run.history.length < length && !run.broken) {
      const step = choose(dice, run.world, calm);
      run.act(step);
    }
    for (const step of run.history) byKind[step.do] = (byKind[step.do] ?? 0) + 1;
    result.steps += run.history.length;
    result.histories++;
    if (!run.broken) run.heal();
    result.healing += run.healing;
    result.launches += run.world.lines.launches.size;
    if (run.broken) return { ...result, byKind, failure: shortest(p, world, run.history, run.broken) };
  }
  return { ...result, byKind };
}

/** Some histories are calm, some are all accidents. */
function mood(dice: Dice): Record<StepKind, number> {
  const faults: readonly StepKind[] = [
    'agent-dies',
    'agent-stops',
    'heartbeat-lost',
    'not-begun',
    'answer-lost',
    'ticket-times-out',
    'tell-lost',
    'nudge-lost',
    'late-call',
    'watcher-lost',
    'workflow-terminated',
    'temporal-data-lost',
    'sweep-unconfirmed',
    'job-preempted',
  ];
  const share = dice.pick([0, 0.3, 1, 1, 3]);
  // Some targets take long to do what they are asked.
  const slowness = dice.pick([1, 1, 0.05]);
  return {
    ...weights,
    ...Object.fromEntries(faults.map((kind) => [kind, weights[kind] * share])),
    'create-arrives': weights['create-arrives'] * slowness,
  };
}

/** One history: the world so far, and the first rule that was broken. */
class Run {
  readonly history: Step[] = [];
  broken: Violation | undefined;
  healing = 0;

  constructor(
    private readonly p: Protocol,
    public world: World,
  ) {}

  act(step: Step): void {
    this.history.push(step);
    this.broken = this.next(step);
  }

  heal(): void {
    this.broken = heal(
      this.p,
      () => this.world,
      (step) => {
        this.healing++;
        return this.next(step);
      },
    );
  }

  private next(step: Step): Violation | undefined {
    const before = this.world;
    this.world = apply(this.p, before, step);
    return brokenRule(before, this.world, step);
  }
}

/** What a history breaks, and after how many of its steps; all of them: while it was being healed. */
export function replay(
  p: Protocol,
  world: World,
  history: readonly Step[],
): (Violation & { after: number }) | undefined {
  const run = new Run(p, world);
  for (const [n, step] of history.entries()) {
    run.act(step);
    if (run.broken) return { ...run.broken, after: n + 1 };
  }
  run.heal();
  return run.broken && { ...run.broken, after: history.length };
}

function shortest(p: Protocol, world: World, found: readonly Step[], broken: Violation): Failure {
  const breaks = (history: readonly Step[]): number | undefined => {
    const again = replay(p, world, history);
    return again?.rule === broken.rule ? again.after : undefined;
  };
  const history = shrink(found, breaks);
  const again = replay(p, world, history) ?? broken;
  return { rule: again.rule, sentence: again.sentence, opening: world, history, foundWith: found.length };
}
