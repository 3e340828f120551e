import type { Command } from 'commander';
import { defineLaunchAction, placeWords } from '../../act-on-launches.js';
import { answerOf } from './answer.js';

export function defineTransfer(command: Command): void {
  command.requiredOption('--to <queue>', 'the other queue, or entity/queue, of the same target');
  defineLaunchAction<{ to: string }>(command, {
    action: 'transfer',
    description: 'move waiting launches to another queue of the same target',
    examples: `
  davit launches transfer ID --to gpu-2
  davit launches transfer --queue gpu --project vision --to gpu-2 --dry-run`,
    async one({ client }, id, { to }) {
      const changed = answerOf(
        await client.POST('/launches/{id}/transfer', { params: { path: { id } }, body: { queue: to } }),
      );
      return { document: changed, words: `${placeWords(id, changed)} in ${to}` };
    },
    params: ({ to }) => ({ queue: to }),
  });
}
