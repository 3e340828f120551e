// From changed code to its running container, through all of Davit and by `docker build` and `docker run`, on one Engine and by turns.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findByHand } from '../lib/by-hand.mjs';
import { distribution, median } from '../lib/numbers.mjs';
import { Stack, timeOf } from '../lib/stack.mjs';
import { until } from '../lib/until.mjs';

const pythonVersion = '3.11';
const command = ['python', 'train.py'];

export async function build({ quick, named }) {
  const byHand = await findByHand();
  if (byHand === undefined) {
    const why = 'no Docker Engine answers here, or no docker command that can build (DOCKER_HOST, docs/benchmarks.md)';
    if (named) throw new Error(why);
    return { rows: [], notes: [`left out: ${why}`], detail: {} };
  }
  const rounds = quick ? 1 : 3;
  const changes = quick ? 1 : 3;
  const again = quick ? 2 : 10;
  const stack = await Stack.start();
  const sides = new Sides(stack, byHand);
  try {
    await sides.warmUp();
    const first = { davit: [], builder: [], hand: [] };
    const change = { davit: [], builder: [], hand: [] };
    for (let round = 0; round < rounds; round++) {
      // Requirements of its own for each side: what one has built would be a layer for the other.
      const wants = { davit: newRequirements(), hand: newRequirements() };
      await sides.byTurns(first, round, wants);
      for (let i = 0; i < changes; i++) await sides.byTurns(change, round + i, wants);
    }
    const launch = [];
    const start = [];
    for (let i = 0; i < again; i++) {
      launch.push(await sides.launchAgain());
      start.push(await sides.runAgain());
    }
    const layersDiffer = await sides.layersDiffer();
    const claimToStart = distribution(launch);
    return {
      rows: [
        ...compared('first', 'first build: code sent → container started', first),
        ...compared('change', 'code changed: code sent → container started', change),
        {
          id: 'build.againP50Ms',
          what: 'the same job again: claimed → container started, p50',
          value: claimToStart.p50,
          unit: 'ms',
          note: `n = ${again}, nothing is built`,
        },
        { id: 'build.againMaxMs', what: '… max', value: claimToStart.max, unit: 'ms', design: '≤ 3,000' },
        { id: 'build.runP50Ms', what: '… `docker run` by hand, p50', value: median(start), unit: 'ms' },
        {
          id: 'build.layersDiffer',
          what: 'layers that are others when built by hand',
          value: layersDiffer,
          unit: '',
          design: '0',
          note: 'of the same code: else two things were compared',
        },
      ],
      notes: [`Docker Engine ${byHand.version.Version} at ${byHand.shown}; by hand: ${byHand.program}`],
      detail: { first, change, claimToStart, launch, start },
    };
  } finally {
    // The agent would look after its containers while they go.
    await stack.stop();
    await byHand.tidy(sides.containers);
  }
}

class Sides {
  containers = [];
  #salt = randomBytes(4).toString('hex');
  #count = 0;

  constructor(stack, byHand) {
    this.stack = stack;
    this.byHand = byHand;
  }

  /** One more of everything: the Engine, pip's cache and every process are warm then. */
  async warmUp() {
    await this.stack.api.post('/queues', { name: 'build', target: 'docker', requireRun: false });
    const wants = newRequirements();
    await this.davit(wants);
    await this.hand(wants);
  }

  /** What runs first is another one each time. */
  async byTurns(times, turn, wants) {
    for (const side of turn % 2 === 0 ? ['davit', 'hand'] : ['hand', 'davit'])
      times[side].push(await this[side](wants[side]));
    times.builder.push(this.builderMs);
  }

  /** New code with these requirements, through the API, the line, the agent and its builder. */
  async davit(requirements) {
    const code = this.#code(requirements);
    const begunAtMs = Date.now();
    this.job = await this.stack.job('trained', command.join(' '), code, { pythonVersion });
    const { container, launch } = await this.#launch();
    this.last = { code, container, requirements };
    this.builderMs = await this.#builderMs(launch.id);
    return (await this.byHand.startedAtMs(container)) - begunAtMs;
  }

  async hand(requirements) {
    const { folder, name, args } = await this.#context(this.#code(requirements), requirements);
    const begunAtMs = Date.now();
    await this.byHand.build(folder, name, args);
    this.handImage = name;
    return (await this.#run(name)) - begunAtMs;
  }

  async launchAgain() {
    const { launch, container } = await this.#launch();
    return (await this.byHand.startedAtMs(container)) - timeOf(launch.claimedAt);
  }

  async runAgain() {
    const begunAtMs = Date.now();
    return (await this.#run(this.handImage)) - begunAtMs;
  }

  /** The code that Davit built last, built by hand: the same image but for its labels. */
  async layersDiffer() {
    const { code, container, requirements } = this.last;
    const { folder, name, args } = await this.#context(code, requirements);
    await this.byHand.build(folder, name, args);
    await this.#run(name);
    const built = await this.byHand.layersOf(await this.byHand.imageOf(container));
    const byHand = await this.byHand.layersOf(name);
    return Math.max(built.length, byHand.length) - built.filter((layer, i) => layer === byHand[i]).length;
  }

  #code(requirements) {
    const number = this.#count++;
    return { 'train.py': `print("trained", "${this.#salt}", ${number})\n`, 'requirements.txt': requirements };
  }

  async #context(code, requirements) {
    const name = `davit-bench-${this.#salt}-${this.containers.length}`;
    const folder = join(this.stack.home, name);
    // A folder as the one that Davit's code comes from: how it may be used goes into the image, too.
    const source = mkdtempSync(join(this.stack.home, 'bench-code-'));
    for (const [path, text] of Object.entries(code)) writeFileSync(join(source, path), text);
    const { entity } = this.stack;
    // Whose it is, too: builds of two owners share nothing that an installer keeps.
    const owner = `${entity}/${entity}`;
    const args = await this.byHand.context(source, { pythonVersion, requirements, owner }, folder);
    return { folder, name, args };
  }

  async #launch() {
    const id = await this.stack.enqueue('build', this.job);
    const container = `davit-${id}-1`;
    this.containers.push(container);
    // A build takes as long as it takes.
    const launch = await this.stack.untilLaunch(id, 'ended', ({ endedAt }) => endedAt !== null, { limitMs: 600_000 });
    return { container, launch };
  }

  /** What the preparation log says: the builder's part of it. */
  #builderMs(id) {
    return until('the preparation log to tell of the build', async () => {
      const { chunks } = await this.stack.api.get(`/launches/${id}/logs?stream=prepare`);
      const told = /^Built in ([\d.]+) s/m.exec(chunks.map(({ text }) => text).join(''))?.[1];
      return told === undefined ? undefined : Number(told) * 1000;
    });
  }

  async #run(image) {
    const name = `davit-bench-${this.#salt}-run-${this.containers.length}`;
    this.containers.push(name);
    return this.byHand.startedAtMs(await this.byHand.run(image, name, command));
  }
}

/** Each is a layer that nobody has yet, of one small package. */
const newRequirements = () => `six>=1.16,!=0.${randomBytes(4).readUInt32BE()}\n`;

function compared(id, what, { davit, builder, hand }) {
  const ratios = davit.map((ms, i) => ms / hand[i]);
  return [
    {
      id: `build.${id}Ratio`,
      what: `${what}, against by hand, median of pairs`,
      value: median(ratios),
      unit: '',
      note: `n = ${ratios.length}, ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    },
    { id: `build.${id}P50Ms`, what: '… Davit, p50', value: median(davit), unit: 'ms' },
    { id: `build.${id}BuilderP50Ms`, what: '… of that its builder, p50', value: median(builder), unit: 'ms' },
    { id: `build.${id}ByHandP50Ms`, what: '… `docker build` and `docker run`, p50', value: median(hand), unit: 'ms' },
    {
      id: `build.${id}OverheadMs`,
      what: '… what Davit adds, median of pairs',
      value: median(davit.map((ms, i) => ms - hand[i])),
      unit: 'ms',
    },
  ];
}
