import { DavitError, LaunchError } from '../domain/errors.js';
import type { PrepareContext } from './target.js';

/** Whatever keeps the code of a job away is told as that. */
export async function fetchCode(context: PrepareContext, toFile: string): Promise<void> {
  try {
    await context.fetchCode(toFile);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof DavitError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LaunchError(
      'code-fetch-failed',
      'prepare',
      `The code of the job could not be fetched: ${reason}.`,
      error,
    );
  }
}
