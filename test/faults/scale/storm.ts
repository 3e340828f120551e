import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Dice } from '../../support/random.js';
import { Stack } from '../../support/stack.js';
import { StepProxy } from '../support/step-proxy.js';
import { adoptionsAfter, type Adoption } from './adoptions.js';
import { burst } from './burst.js';
import { Crew, type Member } from './crew.js';
import { Executioner, type Death } from './executioner.js';
import { openGround, type Ground, type GroundName } from './ground.js';
import { LightJob } from './light-job.js';
import { Load, type Accepted } from './load.js';
import { Observer } from './observer.js';
import { Operator } from './operator.js';
import { nameOfKill, planKills } from './plan.js';
import { recoveriesAfter, type Part } from './recoveries.js';
import { judge, type Count } from './verdict.js';

export interface StormOptions {
  seed: number;
  size: 'short' | 'full';
  /** What jobs are. Default: processes. */
  target?: GroundName;
  /** At least so many. */
  launches: number;
  /** At least so long: the plan of kills begins again when it is through. */
  minutes?: number;
  say(line: string): void;
}

export interface StormResult {
  seed: number;
  seconds: number;
  launches: number;
  deaths: Death[];
  missedSteps: string[];
  adoptions: Adoption[];
  recoveriesMs: Record<Part, number[]>;
  released: Operator['released'];
  counts: Count[];
  /** Launches that are told as lost because their Engine was killed; undefined: nobody kills an Engine. */
  lost?: number;
  /** Launches of which is told that the end of their log may be missing, because their Engine was away when they ended. */
  cut?: number;
  /** Logs of all parts and stories, when something was wrong. */
  kept?: string;
}

const queues = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'] as const;
/** Only for the burst at the end, so that every agent can take its share of it. */
const burstQueue = 'burst';
const members: Member[] = [
  { name: 'anna', slots: 8, queues: ['alpha', 'beta', 'gamma', burstQueue] },
  { name: 'bert', slots: 12, queues: ['beta', 'gamma', 'delta', burstQueue] },
  { name: 'cleo', slots: 10, queues: ['gamma', 'delta', 'epsilon', burstQueue] },
  { name: 'dora', slots: 14, queues: ['delta', 'epsilon', 'alpha', burstQueue] },
];
/** So many at least wait or run, so that kills meet somebody. */
const fewestOpen = 30;
/** With more than this kills pause, and go on when fewer than that are left: a storm comes in waves, or nothing would ever get done. */
const mostOpen = 160;
const calmOpen = 60;
/** Launches of which none ends in this time, with everything at work, are lost. */
const standstillMs = 120_000;
const longJobs = {
  short: { share: 0.15, leastSeconds: 7, mostSeconds: 12 },
  full: { share: 0.12, leastSeconds: 8, mostSeconds: 18 },
};
const sayEveryMs = 5_000;

interface Scene {
  options: StormOptions;
  stack: Stack;
  ground: Ground;
  proxy: StepProxy;
  crew: Crew;
  job: LightJob;
  load: Load;
  observer: Observer;
  executioner: Executioner;
  operator: Operator;
  seconds(): number;
}

/** One run: load and kills side by side until both are through, then everything is counted. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const begunAtMs = Date.now();
  const stack = await Stack.start({ maxJobs: 0 });
  const proxy = new StepProxy(stack.apiUrl);
  let observer: Observer | undefined;
  let crew: Crew | undefined;
  let operator: Operator | undefined;
  let ground: Ground | undefined;
  try {
    ground = await openGround(options.target ?? 'process', stack);
    for (const queue of [...queues, burstQueue]) await stack.queue(queue, ground.queue);
    const job = await LightJob.make(stack, ground.baseImage);
    observer = await Observer.connect(stack.databaseUrl);
    // Each launch fetches its code, so that somebody can be killed in the middle of it.
    const environment = { DAVIT_CODE_CACHE_MIB: '0', ...ground.agentEnvironment };
    crew = await Crew.start(stack, proxy, members, environment);
    const { seed } = options;
    const url = await proxy.listen('client');
    const load = new Load({ stack, job, dice: new Dice(seed), queues, url, seed, long: longJobs[options.size] });
    const executioner = new Executioner(stack, crew, ground);
    const seconds = (): number => Math.round((Date.now() - begunAtMs) / 1000);
    operator = new Operator(stack, observer);
    void operator.work();
    const scene: Scene = { options, stack, ground, proxy, crew, job, load, observer, executioner, operator, seconds };
    options.say(`${members.length} agents with ${crew.slots} slots serve ${queues.length} queues after ${seconds()} s`);
    await rage(scene);
    return await reckon(scene);
  } finally {
    crew?.stop();
    operator?.stop();
    await stack.stop();
    await ground?.stop();
    proxy.close();
    await observer?.close().catch(() => undefined);
  }
}

/** Launches come as the kills go on, so that the last kill meets the last launches. */
async function rage({ options, ground, proxy, load, observer, executioner, seconds }: Scene): Promise<void> {
  const dice = new Dice(options.seed + 1);
  const endMs = Date.now() + (options.minutes ?? 0) * 60_000;
  let planned = 0;
  let ended = 0;
  let isOver = false;
  let isThrough = false;
  const open = (): number => load.begun - ended;
  proxy.onStep = executioner.onStep;
  observer.onRecorded(
    () => executioner.waitsForRecord,
    (id) => executioner.onRecorded(id),
  );

  const kills = async (): Promise<void> => {
    do {
      const plan = planKills(dice, options.size, members.length, ground.killEngine !== undefined);
      planned += plan.length;
      await executioner.execute(plan, async () => {
        if (open() < mostOpen) return;
        while (open() > calmOpen) await wait(200);
      });
    } while (Date.now() < endMs);
    isOver = true;
  };
  const watch = async (): Promise<void> => {
    for (let saidAtMs = Date.now(); !isThrough; await wait(500)) {
      ended = await observer.ended();
      if (Date.now() - saidAtMs < sayEveryMs) continue;
      saidAtMs = Date.now();
      const trap = executioner.waitsFor === '' ? '' : `; next: ${executioner.waitsFor}`;
      options.say(
        `${String(seconds()).padStart(4)} s  ${load.begun} launches, ${ended} ended; ${executioner.deaths.length} of ${planned} kills${trap}`,
      );
    }
  };
  const next = (): 'now' | 'later' | 'enough' => {
    if (isOver && load.begun >= options.launches) return 'enough';
    const due = isOver ? options.launches : (options.launches * (executioner.deaths.length + 1)) / Math.max(planned, 1);
    return open() < fewestOpen || (load.begun < due && open() < mostOpen) ? 'now' : 'later';
  };
  const both = Promise.all([kills(), load.run(next)]).finally(() => {
    isThrough = true;
  });
  await Promise.all([both, watch()]);
  proxy.onStep = () => 'go on';
}

/** When the dust has settled. */
async function reckon(scene: Scene): Promise<StormResult> {
  const { options, stack, ground, crew, job, load, observer, executioner, seconds } = scene;
  options.say(
    `${String(seconds()).padStart(4)} s  no more kills; waiting for the rest of ${load.accepted.length} launches`,
  );
  await crew.untilAllWork();
  const isStandstill = await untilAllEnded(scene);
  const adoptions = await adoptionsAfter(observer, executioner.deaths);
  const recoveriesMs = await recoveriesAfter(observer, executioner.deaths);
  const all: Accepted[] = [...load.accepted];
  const slots: Count = { what: 'slots leaked', evidence: isStandstill ? ['not looked at: launches are lost'] : [] };
  if (!isStandstill) {
    const filled = await burst({ stack, observer, job, queue: burstQueue, slots: crew.slots });
    all.push(...filled.accepted);
    slots.evidence = filled.evidence;
  }
  options.say(`${String(seconds()).padStart(4)} s  going through every launch, start, log and line`);
  const counts = await judge(
    stack,
    observer,
    all,
    job.turns(),
    new Map(members.map((one) => [one.name, one.slots])),
    ground.killEngine !== undefined,
  );
  counts.splice(4, 0, slots);
  counts.at(-1)?.evidence.push(...(await ground.left()));
  const missedSteps = executioner.missed.filter(({ at }) => at !== 'random').map(nameOfKill);
  const result: StormResult = {
    seed: options.seed,
    seconds: seconds(),
    launches: all.length,
    deaths: executioner.deaths,
    missedSteps,
    adoptions,
    recoveriesMs,
    released: scene.operator.released,
    counts,
  };
  if (ground.killEngine !== undefined) {
    result.lost = (await observer.rows(`select from launch where failure ->> 'code' = 'job-lost'`)).length;
    result.cut = (await observer.rows(`select from launch where reason like '%is missing in its log%'`)).length;
  }
  if (counts.some(({ evidence }) => evidence.length > 0)) result.kept = await keepEvidence(scene, result);
  return result;
}

/** True when launches are left of which nothing happens any more. */
async function untilAllEnded({ options, load, observer, seconds }: Scene): Promise<boolean> {
  let ended = -1;
  let movedAtMs = Date.now();
  let saidAtMs = Date.now();
  for (;;) {
    const now = await observer.ended();
    if (now >= load.accepted.length) return false;
    if (now !== ended) movedAtMs = Date.now();
    ended = now;
    if (Date.now() - movedAtMs > standstillMs) return true;
    if (Date.now() - saidAtMs > sayEveryMs) {
      saidAtMs = Date.now();
      options.say(`${String(seconds()).padStart(4)} s  ${ended} of ${load.accepted.length} ended`);
    }
    await wait(250);
  }
}

/** Stories of the launches that speak against us, what every agent said, and the logs of the parts. */
async function keepEvidence({ stack, observer, executioner }: Scene, result: StormResult): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `davit-faults-${result.seed}-`));
  const ids = new Set(
    result.counts.flatMap(({ evidence }) => evidence.flatMap((each) => each.match(/[0-9a-z]{20,}/g) ?? [])),
  );
  const list = [...ids].map((id) => `'${id}'`).join(', ');
  const stories =
    list === ''
      ? []
      : await observer.rows(
          `select launch_id, at, writer, n, type, data from launch_event where launch_id in (${list}) order by launch_id, at`,
        );
  const rows = list === '' ? [] : await observer.rows(`select * from launch where id in (${list})`);
  writeFileSync(join(folder, 'stories.json'), JSON.stringify({ stories, rows }, null, 1));
  writeFileSync(join(folder, 'counts.json'), JSON.stringify(result.counts, null, 1));
  writeFileSync(join(folder, 'deaths.json'), JSON.stringify(executioner.deaths, null, 1));
  // A launch that is stuck is stuck in its workflow.
  await stack
    .inTemporal(async (client) => {
      for (const id of ids) {
        const history = await client.workflow.getHandle(`launch/${id}`).fetchHistory();
        writeFileSync(join(folder, `history-${id}.json`), JSON.stringify(history, null, 1));
      }
    })
    .catch((error: unknown) => writeFileSync(join(folder, 'histories-missing.txt'), String(error)));
  cpSync(join(stack.home, 'logs'), join(folder, 'logs'), { recursive: true });
  for (const [n, agent] of stack.agents.entries())
    writeFileSync(join(folder, `agent-${agent.name}-${n}-${agent.pid}.log`), agent.said());
  return folder;
}
