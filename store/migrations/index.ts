import * as base from './0001-base.js';
import * as line from './0002-line.js';

export interface Migration {
  name: string;
  up: string;
}

/** In order; the place in this list is the migration's number. */
export const migrations: readonly Migration[] = [base, line];
