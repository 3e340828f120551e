import { Option } from 'commander';
import type { Command } from 'commander';
import { priorities } from '../../../domain/words.js';
import type { Priority } from '../../../domain/words.js';
import { defineLaunchAction, placeWords } from '../../act-on-launches.js';
import { answerOf } from './answer.js';

export function definePriority(command: Command): void {
  command.addOption(new Option('--to <name>', 'the new priority').choices(priorities).makeOptionMandatory());
  defineLaunchAction<{ to: Priority }>(command, {
    action: 'priority',
    description: 'change the priority of waiting launches',
    examples: `
  davit launches priority ID --to high
  davit launches priority --queue gpu --priority low --older-than 1d --to medium`,
    async one({ client }, id, { to }) {
      const changed = answerOf(
        await client.POST('/launches/{id}/priority', { params: { path: { id } }, body: { priority: to } }),
      );
      return { document: changed, words: `${placeWords(id, changed)} with priority ${to}` };
    },
    params: ({ to }) => ({ priority: to }),
  });
}
