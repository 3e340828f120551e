import type { Api } from '../../client/index.js';

/** What a frame of `davit queue top` is made of: every line in short, or one line in full, at one moment. */
export type TopSnapshot =
  | { kind: 'all'; lines: Api<'LineList'> }
  | { kind: 'one'; line: Api<'Line'>; estimates: ReadonlyMap<string, StartRange> };

/** When a launch is likely to be taken. */
export interface StartRange {
  earliest: string;
  latest: string;
}

export type Summary = Api<'LineSummary'>;
export type InLine = Api<'LaunchInLine'>;
