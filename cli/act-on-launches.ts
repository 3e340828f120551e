import type { Command } from 'commander';
import type { Api } from '../client/index.js';
import { runBulk } from './bulk.js';
import type { BulkOptions } from './bulk.js';
import { addConnectOptions, connect } from './connect.js';
import type { Connected, ConnectOptions } from './connect.js';
import { addFilterOptions, chosen } from './launch-filter.js';
import type { FilterOptions } from './launch-filter.js';
import { Output } from './output/output.js';
import { reportError } from './output/report-error.js';

/**
 * A command that changes launches: some by their ids, each with its answer, or many by a filter, as one bulk with a dry run, a question and
 * progress. The commands differ in what they ask of the API and in their words.
 */
export interface LaunchAction<O> {
  /** Of the bulk. */
  action: Api<'BulkRequest'>['action'];
  description: string;
  examples: string;
  /** What one launch is asked, and the words for its answer. */
  one(api: Connected, id: string, options: O): Promise<{ document: object; words: string }>;
  /** What the bulk is asked besides the filter. Throws for what cannot be done to many. */
  params?(options: O): Api<'BulkRequest'>['params'];
  /** In which order ids are dealt with; default: as they were given. */
  order?(ids: readonly string[], options: O): readonly string[];
}

export type ActionOptions = ConnectOptions & FilterOptions & BulkOptions & { json?: boolean };

const bulkNote = `
With a filter instead of ids it is done to every launch that fits, in the background: --dry-run lists them and changes nothing, a terminal is
asked first, and without one --yes is needed. Ctrl-C leaves and the work goes on; davit launches bulk ID shows how far it is.
`;

export function defineLaunchAction<O extends object>(command: Command, define: LaunchAction<O>): void {
  addFilterOptions(addConnectOptions(command.argument('[id...]', 'launches')))
    .description(define.description)
    .option('--dry-run', 'with a filter: list what would change, and change nothing')
    .option('-y, --yes', 'with a filter: do not ask')
    .option('-d, --detach', 'with a filter: print the id of the work and leave')
    .option('--json', 'one JSON line for each launch, or of the progress')
    .addHelpText('after', `${bulkNote}${define.examples}`)
    .action(async (ids: string[], options: ActionOptions & O) => {
      const out = new Output(options.json === true);
      const which = chosen(ids, options);
      const params = 'filter' in which ? define.params?.(options) : undefined;
      const api = connect(options);
      if ('filter' in which) {
        const { filter } = which;
        const request = { action: define.action, filter, ...(params === undefined ? {} : { params }) };
        process.exitCode = await runBulk(api, out, request, options);
        return;
      }
      await each(api, out, define.order?.(which.ids, options) ?? which.ids, options, define);
    });
}

/** One after the other; one that is refused does not keep the others from being done. */
async function each<O>(
  api: Connected,
  out: Output,
  ids: readonly string[],
  options: O,
  { one }: LaunchAction<O>,
): Promise<void> {
  for (const id of ids) {
    try {
      const { document, words } = await one(api, id, options);
      out.line(document, () => words);
    } catch (error) {
      process.exitCode = Math.max(Number(process.exitCode ?? 0), reportError(error, out.json));
    }
  }
}

export const placeWords = (id: string, { position, held }: Api<'ChangedLaunch'>): string =>
  `${id} ${held ? 'is held' : `waits at position ${position ?? '-'}`}`;
