import { setTimeout as wait } from 'node:timers/promises';
import type { Stack } from '../../support/stack.js';
import type { Observer } from './observer.js';

const everyMs = 1_000;

/**
 * Somebody who looks at what was set aside and lets it go on: a launch that cost several agents is parked, an agent on which several launches
 * failed is in quarantine, and here neither was to blame.
 */
export class Operator {
  released = { launches: 0, agents: 0 };
  private stopping = false;

  constructor(
    private readonly stack: Stack,
    private readonly observer: Observer,
  ) {}

  async work(): Promise<void> {
    for (; !this.stopping; await wait(everyMs)) {
      // The API may be away; then in the next round.
      await this.round().catch(() => undefined);
    }
  }

  private async round(): Promise<void> {
    const { client, entity } = this.stack;
    const launches = await this.observer.rows<{ id: string }>(
      `select id from launch where state = 'queued' and hold = 'parked'`,
    );
    for (const { id } of launches) {
      await client.POST('/launches/{id}/release', { params: { path: { id } } });
      this.released.launches++;
    }
    const agents = await this.observer.rows<{ name: string }>(
      `select name from agent where quarantined_at is not null`,
    );
    for (const { name } of agents) {
      await client.POST('/agents/{entity}/{agent}/release', { params: { path: { entity, agent: name } } });
      this.released.agents++;
    }
  }

  stop(): void {
    this.stopping = true;
  }
}
