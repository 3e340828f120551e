import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { DavitError } from '../domain/errors.js';
import type { Api } from '../client/index.js';
import { collect } from './commands/collect.js';
import { given } from './commands/options.js';
import { durationOption } from './durations.js';
import { splitAssignment } from './overrides.js';

/** Which launches, as options of the commands that change many at once. */

export interface FilterOptions {
  queue?: string;
  project?: string;
  state?: string;
  author?: string;
  priority?: string;
  job?: string;
  label?: string[];
  olderThan?: number;
}

type Filter = Api<'BulkRequest'>['filter'];

/** `withPriority`: false for the command whose own word is a priority. */
export function addFilterOptions(command: Command): Command {
  return command
    .optionsGroup('Which launches, when no ids are given (all of these together):')
    .option('-q, --queue <name>', 'of this queue, or entity/queue')
    .option('-p, --project <name>', 'of this project, or entity/project')
    .option('-s, --state <states>', 'in these states, separated by commas; held is one of them')
    .option('--author <name>', 'of this user')
    .option('--priority <names>', 'of these priorities, separated by commas')
    .option('--job <name>', 'of this job, any version')
    .option('--label <name=value>', 'that require this label of their agent; may be repeated', collect)
    .option('--older-than <duration>', 'accepted longer ago than this, such as 2h', durationOption)
    .optionsGroup('How:');
}

/** Undefined: no condition was given. */
export function filterFrom(options: FilterOptions): Filter | undefined {
  const labels = labelsFrom(options.label, '--label');
  const filter = given({
    queue: options.queue,
    project: options.project,
    // The API says which words there are; a list here would only grow old.
    state: options.state?.split(',') as Extract<Filter['state'], unknown[]> | undefined,
    author: options.author,
    priority: options.priority?.split(',') as Extract<Filter['priority'], unknown[]> | undefined,
    job: options.job,
    labels,
    olderThanMs: options.olderThan,
  });
  return Object.keys(filter).length === 0 ? undefined : filter;
}

export function labelsFrom(words: readonly string[] | undefined, flag: string): Record<string, string> | undefined {
  const all = (words ?? []).flatMap((word) => word.split(','));
  if (all.length === 0) return undefined;
  return Object.fromEntries(
    all.map((word) => {
      const { name, value } = splitAssignment(word, flag);
      return [name, value];
    }),
  );
}

/** Ids or a filter, never both: which of them would count? */
export function chosen(
  ids: readonly string[],
  options: FilterOptions,
): { ids: readonly string[] } | { filter: Filter } {
  const filter = filterFrom(options);
  if (ids.length > 0 && filter !== undefined)
    throw new DavitError('wrong-usage', 'Name launches by their ids or by a filter, not by both.');
  if (ids.length > 0) return { ids };
  if (filter !== undefined) return { filter };
  throw new DavitError('wrong-usage', 'Which launches? Name their ids, or a filter such as --queue gpu --author ada.');
}

export const idOption = (text: string): string => {
  if (/^[0-9a-z]{20}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be the id of a launch: 20 letters and digits.');
};
