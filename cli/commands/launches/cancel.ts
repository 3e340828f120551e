import type { Command } from 'commander';
import { defineLaunchAction } from '../../act-on-launches.js';
import { answerOf } from './answer.js';

export function defineCancel(command: Command): void {
  defineLaunchAction(command, {
    action: 'cancel',
    description: 'cancel launches: what waits ends at once, what runs is stopped',
    examples: `
  davit launches cancel ID ID
  davit launches cancel --queue gpu --author ada --state queued --dry-run
  davit launches cancel --project sweep-7 --yes`,
    async one({ client }, id) {
      const cancelled = answerOf(await client.POST('/launches/{id}/cancel', { params: { path: { id } } }));
      return { document: cancelled, words: `${id} ${cancelled.state}` };
    },
  });
}
