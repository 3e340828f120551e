import type { WriteStream } from 'node:tty';
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

/** picocolors looks at standard output alone; progress and errors go to standard error, which may be another thing. */
export function colorsFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Colors {
  if ((env['NO_COLOR'] ?? '') !== '') return pc.createColors(false);
  if ((env['FORCE_COLOR'] ?? '') !== '') return pc.createColors(env['FORCE_COLOR'] !== '0');
  return pc.createColors(isTerminal(stream) && env['TERM'] !== 'dumb');
}

export const isTerminal = (
  stream: NodeJS.WriteStream | NodeJS.ReadStream,
): stream is WriteStream & NodeJS.WriteStream => stream.isTTY === true;

/** Text from others (names, messages, states) must not be able to move the cursor or recolour what follows. */
export const plain = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out here.
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');

/** The same for a place where a line break would break more than a line: a cell, a frame. */
export const oneLine = (text: string): string => plain(text).replace(/\s+/g, ' ');
