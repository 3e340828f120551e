import { DavitError } from '../../../domain/errors.js';

/** What is not a success was thrown; so there is a body. */
export function answerOf<T>({ data }: { data?: T }): T {
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return data;
}
