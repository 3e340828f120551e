// `davit up` as a user starts it, in a data folder of its own, and what the measurements do with it through the REST API.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { root } from '../../scripts/support.mjs';
import { Child } from './child.mjs';
import { apiClient } from './http.mjs';
import { cpuMsOf, groupOf, memoryOf, treeOf } from './machine.mjs';
import { until } from './until.mjs';

const program = join(root, 'dist', 'cli', 'main.js');
const partNames = ['postgres', 'temporal', 'server', 'worker', 'agent'];
const running = new Set();

export class Stack {
  #children = [];

  /** @param {{ args?: string[], env?: Record<string, string> }} options flags and variables of `davit up` */
  static async start({ args = [], env = {} } = {}) {
    const stack = new Stack();
    stack.args = args;
    // Not the usual ones: whoever starts a stack of his own at this moment would find them free as well.
    stack.ports = await freePorts(3);
    stack.env = env;
    stack.home = mkdtempSync(join(realpathSync(tmpdir()), 'davit-bench-'));
    stack.pidFolder = join(stack.home, 'bench-pids');
    mkdirSync(stack.pidFolder);
    running.add(stack);
    await stack.up();
    return stack;
  }

  /** Starts `davit up` on the data folder; `startMs` counts from the start of the process to its word that all is ready. */
  async up() {
    this.begunAt = performance.now();
    this.child = new Child([program, 'up', '--json', ...this.#portFlags(), ...this.args], {
      env: { DAVIT_HOME: this.home, ...this.env },
      name: 'davit up',
    });
    this.facts = await this.child.said((output) => {
      for (const line of output.split('\n').slice(0, -1)) {
        if (line.startsWith('{') && line.includes('"kind":"up"')) return JSON.parse(line);
      }
      return undefined;
    });
    this.startMs = performance.now() - this.begunAt;
    this.url = this.facts.url;
    this.key = readFileSync(join(this.home, 'keys', 'admin'), 'utf8').trim();
    this.entity = readFileSync(join(this.home, 'keys', 'entity'), 'utf8').trim();
    this.api?.close();
    this.api = apiClient({ url: this.url, key: this.key });
  }

  #portFlags() {
    const [api, temporal, temporalUi] = this.ports;
    return ['--port', `${api}`, '--temporal-port', `${temporal}`, '--temporal-ui-port', `${temporalUi}`];
  }

  /** `davit up` is ready when the API answers; worker and agent come up beside. Until both poll: ms since the start of the process. */
  async untilServing(temporal) {
    const { worker, agent } = this.parts();
    await until('the control worker to poll', () => temporal.polls('launch-control', `control@${worker}`));
    if (agent !== undefined) {
      await until('the agent to be there', async () => {
        const { items } = await this.api.get('/agents');
        return items.some(({ pid, status }) => pid === agent && status === 'active');
      });
    }
    return performance.now() - this.begunAt;
  }

  async down() {
    const begunAt = performance.now();
    await Promise.all(this.#children.splice(0).map((child) => child.stop()));
    this.api?.close();
    await this.child.stop();
    return performance.now() - begunAt;
  }

  async stop() {
    if (!running.delete(this)) return;
    try {
      await this.down();
    } finally {
      this.endJobs();
      rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  }

  /** Jobs outlive their agents: those that a failed measurement left behind are ended here. */
  endJobs() {
    for (const name of readdirSync(this.pidFolder)) {
      try {
        process.kill(-Number(readFileSync(join(this.pidFolder, name), 'utf8')), 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }

  // Parts.

  /** Process of each part that runs now; postgres: the first of many. */
  parts() {
    const found = {};
    for (const name of partNames) {
      try {
        const record = JSON.parse(readFileSync(join(this.home, 'run', 'children', `${name}.json`), 'utf8'));
        if (record.process) found[name] = record.process.pid;
      } catch {
        // This stack has no such part.
      }
    }
    for (const child of this.#children) found[child.name] = child.pid;
    return found;
  }

  memory() {
    return Object.fromEntries(
      Object.entries(this.parts()).map(([name, pid]) => [name, memoryOf(name === 'postgres' ? treeOf(pid) : [pid])]),
    );
  }

  /** CPU time so far by part. PostgreSQL: of all its processes; one that ends in between is counted by its parent. */
  cpuMs() {
    return Object.fromEntries(
      Object.entries(this.parts()).map(([name, pid]) => [
        name,
        (name === 'postgres' ? treeOf(pid) : [pid]).reduce((sum, one) => sum + (cpuMsOf(one) ?? 0), 0),
      ]),
    );
  }

  databaseUrl() {
    const { postgres: port } = JSON.parse(readFileSync(join(this.home, 'run', 'ports.json'), 'utf8'));
    const password = readFileSync(join(this.home, 'keys', 'postgres'), 'utf8').trim();
    return `postgres://davit:${password}@127.0.0.1:${port}/davit`;
  }

  /** `davit agent`, as on a machine of its own, with work and seat of its own. */
  async startAgent({ name, maxJobs, queues = ['*'], env = {} }) {
    const agent = new Child([program, 'agent'], {
      name,
      env: { ...this.#agentEnvironment({ name, maxJobs, queues }), ...env },
    });
    this.#children.push(agent);
    await agent.said((output) => (output.includes('agent runs') ? true : undefined));
    return agent;
  }

  /** The same agent with a target whose jobs end at once: what a launch costs without a process. */
  async startNoopAgent({ name, maxJobs, queues = ['*'], env = {} }) {
    const agent = new Child([join(root, 'bench', 'noop', 'agent.mjs')], {
      name,
      env: { ...this.#agentEnvironment({ name, maxJobs, queues }), ...env },
    });
    this.#children.push(agent);
    await agent.message('ready');
    return agent;
  }

  /** One agent for each of the queues, all in one process. */
  async startManyAgents({ name, queues }) {
    const agents = new Child([join(root, 'bench', 'noop', 'many-agents.mjs')], {
      name,
      env: { ...this.#agentEnvironment({ name, maxJobs: 1, queues: ['*'] }), BENCH_QUEUES: queues.join(',') },
    });
    this.#children.push(agents);
    await agents.message('ready');
    return agents;
  }

  #agentEnvironment({ name, maxJobs, queues }) {
    return {
      DAVIT_HOME: this.home,
      DAVIT_URL: this.url,
      DAVIT_AGENT_KEY_FILE: join(this.home, 'keys', 'agent'),
      DAVIT_ENTITY: this.entity,
      DAVIT_AGENT_NAME: name,
      DAVIT_MAX_JOBS: String(maxJobs),
      DAVIT_QUEUES: queues.join(','),
      DAVIT_WORK_FOLDER: join(this.home, 'work', `bench-${name}`),
      DAVIT_ENVIRONMENT_CACHE_FOLDER: join(this.home, 'environments'),
    };
  }

  async stopAgent(agent, signal = 'SIGTERM') {
    this.#children = this.#children.filter((child) => child !== agent);
    await agent.stop(signal);
  }

  // What a user does.

  async queue(name) {
    await this.api.post('/queues', { name, requireRun: false });
    return name;
  }

  /** A job of the given files; the entry point is run without a shell. */
  async job(name, entryPoint, files, more = {}) {
    const folder = mkdtempSync(join(this.home, 'bench-code-'));
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    const archive = Buffer.concat(await create({ gzip: true, cwd: folder, portable: true }, ['.']).collect());
    const query = new URLSearchParams({ entryPoint, ...more });
    const path = `/entities/${this.entity}/projects/bench/jobs/${name}/versions?${query}`;
    await this.api.post(path, archive, { 'Content-Type': 'application/gzip' });
    return `${this.entity}/bench/${name}:latest`;
  }

  noopJob() {
    return this.job('noop', 'true', { 'README.md': 'Ends at once.\n' });
  }

  /** Says nothing and runs until it is ended; its process number, which is its group's too, goes to a file. */
  silentJob() {
    const text = `echo $$ > "${this.pidFolder}/$DAVIT_JOB_NAME"\nexec sleep 900\n`;
    return this.job('silent', 'sh run.sh', { 'run.sh': text });
  }

  async enqueue(queue, job, more = {}) {
    return (await this.api.post('/launches', { queue, job, ...more })).id;
  }

  show(id) {
    return this.api.get(`/launches/${id}`);
  }

  untilLaunch(id, what, holds, options = {}) {
    return until(
      `launch ${id} to be ${what}`,
      async () => {
        // An API that is too busy says so: whoever waits asks again.
        const launch = await this.show(id).catch((error) => {
          if (error.status === 503) return undefined;
          throw error;
        });
        if (launch === undefined) return undefined;
        if (holds(launch)) return launch;
        if (launch.state === 'failed') throw new Error(`launch ${id} failed: ${JSON.stringify(launch.failure)}`);
        return undefined;
      },
      { everyMs: 15, ...options },
    );
  }

  ended(id) {
    return this.untilLaunch(id, 'ended', ({ endedAt }) => endedAt !== null);
  }

  /** Until nobody waits and nobody runs in the queue. */
  drained(queue, options = {}) {
    return until(
      `queue ${queue} to be empty`,
      async () => {
        const { waiting, running: busy } = await this.api.get(`/queues/${this.entity}/${queue}`);
        return waiting + busy === 0;
      },
      { everyMs: 100, limitMs: 300_000, ...options },
    );
  }

  /** All launches of a queue, the oldest first. */
  async launchesOf(queue, limit = Number.POSITIVE_INFINITY) {
    const all = [];
    let cursor;
    do {
      const page = await this.api.get(
        `/launches?queue=${this.entity}/${queue}&limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      );
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor && all.length < limit);
    return all.reverse();
  }

  /** The process group of a silent job. */
  jobGroup(launchId) {
    return until(
      `the job of ${launchId} to run`,
      () => {
        try {
          const pid = Number(readFileSync(join(this.pidFolder, `davit-${launchId}-1`), 'utf8'));
          return pid > 0 ? groupOf(pid) : undefined;
        } catch {
          return undefined;
        }
      },
      { everyMs: 10 },
    );
  }
}

/** What still runs is stopped; for the end of the benchmark, however it comes. */
export async function stopAll() {
  await Promise.allSettled([...running].map((stack) => stack.stop()));
}

export const timeOf = (text) => Date.parse(text);

/** Different ones, because all are held until the last is found. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port: 0, host: '127.0.0.1' }, resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
