import { DavitError } from '../../domain/errors.js';

/** Answered with the status 404 rather than 200 with errors: the one sign by which a client's loop knows that it has nothing to come back to. */
export class GoneError extends DavitError {
  constructor(message: string) {
    super('not-found', message);
  }
}
