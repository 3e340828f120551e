import type { Logger } from 'pino';
import type { Store } from '../store/open.js';
import { fillRunKeys } from '../store/run-keys.js';
import { inTurns } from './in-turns.js';

/** Makes lists of runs fast for keys that were asked for lately (store/run-keys.ts). Any number of control workers may run this. */
export const startRunKeyFiller = ({ db, log }: { db: Store; log: Logger }): { stop(): Promise<void> } =>
  inTurns(() => fillRunKeys(db), {
    pauseMs: 2_000,
    log,
    failing: 'values of runs are not prepared for lists now; lists take longer',
  });
