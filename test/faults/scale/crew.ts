import { setTimeout as wait } from 'node:timers/promises';
import type { HandAgent } from '../../support/hand-agent.js';
import type { Stack } from '../../support/stack.js';
import { until } from '../../support/until.js';
import type { StepProxy } from '../support/step-proxy.js';

export interface Member {
  name: string;
  slots: number;
  queues: string[];
}

/** Agents on one machine that somebody starts again whenever they end, at once or after a while. Each asks the API through a listener of its own. */
export class Crew {
  private readonly awayMs = new Map<string, number>();
  private readonly urls = new Map<string, string>();
  private stopping = false;

  private constructor(
    private readonly stack: Stack,
    readonly members: readonly Member[],
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async start(
    stack: Stack,
    proxy: StepProxy,
    members: readonly Member[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Crew> {
    const crew = new Crew(stack, members, environment);
    for (const { name } of members) crew.urls.set(name, await proxy.listen(name));
    for (const member of members) void crew.keep(member);
    await crew.untilAllWork();
    return crew;
  }

  async untilAllWork(ms = 90_000): Promise<void> {
    await until(
      async () => {
        const { data } = await this.stack.client.GET('/agents', {});
        return this.members.every(({ name }) => {
          const agent = this.stack.agentByHand(name);
          return data?.items.some((each) => each.name === name && each.status === 'active' && each.pid === agent?.pid);
        });
      },
      { what: 'all agents to be at work', ms, everyMs: 200 },
    );
  }

  private async keep({ name, slots, queues }: Member): Promise<void> {
    while (!this.stopping) {
      const agent = this.stack.spawnAgent(name, {
        maxJobs: slots,
        queues,
        env: { ...this.environment, DAVIT_URL: this.urls.get(name) },
      });
      await agent.exited;
      await wait(this.awayMs.get(name) ?? 200);
      this.awayMs.delete(name);
    }
  }

  /** Undefined: it is down already. */
  private alive(name: string): HandAgent | undefined {
    const agent = this.stack.agentByHand(name);
    return agent === undefined || agent.isOver ? undefined : agent;
  }

  /** Whom chance chose, or the next one who is not down already. */
  someoneAlive(chosen: number): string | undefined {
    const order = [...this.members.slice(chosen), ...this.members.slice(0, chosen)];
    return order.find(({ name }) => this.alive(name) !== undefined)?.name;
  }

  /** In this very moment, without waiting for anything. */
  kill(name: string, awayMs: number): boolean {
    const agent = this.alive(name);
    if (agent === undefined) return false;
    this.awayMs.set(name, awayMs);
    process.kill(agent.pid, 'SIGKILL');
    return true;
  }

  freeze(name: string, ms: number): boolean {
    const agent = this.alive(name);
    if (agent === undefined) return false;
    process.kill(agent.pid, 'SIGSTOP');
    setTimeout(() => {
      // Killed in the meantime, perhaps.
      if (this.alive(name)?.pid === agent.pid) process.kill(agent.pid, 'SIGCONT');
    }, ms).unref();
    return true;
  }

  stop(): void {
    this.stopping = true;
  }

  get slots(): number {
    return this.members.reduce((sum, { slots }) => sum + slots, 0);
  }
}
