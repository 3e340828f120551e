import type { Command } from 'commander';
import { defineLaunchAction, placeWords } from '../../act-on-launches.js';
import { answerOf } from './answer.js';

export function defineHold(command: Command): void {
  defineLaunchAction<{ reason?: string }>(command.option('--reason <text>', 'a sentence for people'), {
    action: 'hold',
    description: 'pass waiting launches over until they are released; they keep their place',
    examples: `
  davit launches hold ID --reason "wait for the new data"
  davit launches hold --queue gpu --author ada --dry-run`,
    async one({ client }, id, { reason }) {
      const body = reason === undefined ? {} : { reason };
      const changed = answerOf(await client.POST('/launches/{id}/hold', { params: { path: { id } }, body }));
      return { document: changed, words: placeWords(id, changed) };
    },
    params: ({ reason }) => (reason === undefined ? {} : { reason }),
  });
}

export function defineRelease(command: Command): void {
  defineLaunchAction(command, {
    action: 'release',
    description: 'put held and parked launches back into their place in line',
    examples: `
  davit launches release ID
  davit launches release --queue gpu --state held`,
    async one({ client }, id) {
      const changed = answerOf(await client.POST('/launches/{id}/release', { params: { path: { id } } }));
      return { document: changed, words: placeWords(id, changed) };
    },
  });
}
