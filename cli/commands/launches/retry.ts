import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { defineLaunchAction } from '../../act-on-launches.js';
import { answerOf } from './answer.js';

export function defineRetry(command: Command): void {
  defineLaunchAction(command, {
    action: 'retry',
    description: 'enqueue what has ended again, each as a new launch with a new run',
    examples: `
Without --state, a filter is about what failed or was stopped.

  davit launches retry ID
  davit launches retry --queue gpu --state failed --project vision --dry-run`,
    async one({ client }, id) {
      const accepted = answerOf(
        await client.POST('/launches/{id}/relaunch', {
          params: { path: { id } },
          headers: { 'Idempotency-Key': randomUUID() },
          body: {},
        }),
      );
      return { document: { ...accepted, of: id }, words: `${id} again as ${accepted.id}` };
    },
  });
}
