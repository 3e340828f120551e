import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { defineLaunchAction, placeWords } from '../../act-on-launches.js';
import { idOption } from '../../launch-filter.js';
import { answerOf } from './answer.js';

interface MoveOptions {
  front?: boolean;
  back?: boolean;
  before?: string;
  after?: string;
}

export function defineMove(command: Command): void {
  command
    .option('--front', 'to the front of its priority')
    .option('--back', 'to the end of its priority')
    .option('--before <id>', 'just before this launch', idOption)
    .option('--after <id>', 'just behind this launch', idOption);
  defineLaunchAction<MoveOptions>(command, {
    action: 'move',
    description: 'move waiting launches within their priority',
    examples: `
  davit launches move ID --front
  davit launches move ID ID --before ID
  davit launches move --queue gpu --project vision --back`,
    async one({ client }, id, options) {
      const changed = answerOf(
        await client.POST('/launches/{id}/move', { params: { path: { id } }, body: placeOf(options) }),
      );
      return { document: changed, words: placeWords(id, changed) };
    },
    params(options) {
      const place = placeOf(options);
      if ('to' in place) return place;
      throw new DavitError(
        'wrong-usage',
        'Many launches move to the --front or the --back; beside another one they move by their ids.',
      );
    },
    // Each goes to the very front, or directly behind the other: the last one moved stands first.
    order: (ids, options) => (options.front === true || options.after !== undefined ? [...ids].reverse() : ids),
  });
}

function placeOf(options: MoveOptions): { to: 'front' | 'back' } | { before: string } | { after: string } {
  const places = [
    ...(options.front === true ? [{ to: 'front' as const }] : []),
    ...(options.back === true ? [{ to: 'back' as const }] : []),
    ...(options.before === undefined ? [] : [{ before: options.before }]),
    ...(options.after === undefined ? [] : [{ after: options.after }]),
  ];
  const [place] = places;
  if (place === undefined || places.length > 1)
    throw new DavitError('wrong-usage', 'Say where to: one of --front, --back, --before ID and --after ID.');
  return place;
}
