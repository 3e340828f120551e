import { DavitError } from '../../../domain/errors.js';
import { isJsonObject, parseObjectOrEmpty } from '../../../domain/extended-json.js';
import { roleIncludes } from '../../../domain/words.js';
import { readConsole } from '../../../store/run-lines.js';
import type { Context, RunParent } from '../context.js';
import { runGlobalId } from '../ids.js';
import { shownUser } from './session.js';

const mostLines = 100_000;

export const runResolvers = {
  Run: {
    id: (run: RunParent) => runGlobalId(run),
    displayName: (run: RunParent) => run.display_name,
    state: (run: RunParent) => (run.deleted ? null : run.state),
    config: (run: RunParent) => run.config,
    wandbConfig: (run: RunParent, args: { keys?: string[] | null }) => wandbConfig(run, args.keys),
    summaryMetrics: (run: RunParent, args: { keys?: string[] | null }) =>
      args.keys ? JSON.stringify(chosen(parseObjectOrEmpty(run.summary), args.keys)) : run.summary,
    group: (run: RunParent) => run.group_name || null,
    jobType: (run: RunParent) => run.job_type || null,
    commit: (run: RunParent) => run.commit || null,
    sweepName: (run: RunParent) => run.sweep_name,
    shouldStop: (run: RunParent) => run.stopped,
    readOnly: (run: RunParent) => !roleIncludes(run.scope.role, 'member'),
    createdAt: (run: RunParent) => run.created_at,
    heartbeatAt: (run: RunParent) => run.heartbeat_at,
    updatedAt: (run: RunParent) => run.ended_at ?? run.heartbeat_at,
    user: (run: RunParent) => shownUser(run),
    project: (run: RunParent) => run.scope,
    projectId: (run: RunParent) => String(run.project_id),
    logLineCount: (run: RunParent) => run.log_lines,
    logLines,
  },
};

function wandbConfig(run: RunParent, keys: string[] | null | undefined): string {
  const entry = parseObjectOrEmpty(run.config)['_wandb'];
  const value = isJsonObject(entry) && isJsonObject(entry['value']) ? entry['value'] : {};
  return JSON.stringify(keys ? chosen(value, keys) : value);
}

const chosen = <T>(values: Record<string, T>, keys: string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));

interface LogArgs {
  first?: number | null;
  last?: number | null;
  after?: string | null;
}

async function logLines(run: RunParent, args: LogArgs, { db }: Context) {
  const from = args.after ? Number(args.after) + 1 : 0;
  if (!Number.isSafeInteger(from) || from < 0)
    throw new DavitError('invalid-request', `"${args.after}" is not a cursor of log lines.`);
  const limit = Math.min(args.first ?? args.last ?? 1_000, mostLines);
  const lines =
    typeof args.last === 'number'
      ? await readConsole(db, run.id, { last: limit })
      : await readConsole(db, run.id, { from, limit });
  const end = lines.at(-1)?.line;
  return {
    edges: lines.map((l) => ({
      cursor: String(l.line),
      node: {
        number: l.line,
        timestamp: l.timestamp ?? null,
        // As the client's own documentation has it: a word for errors, nothing for the rest.
        level: l.level === 'error' ? 'error' : null,
        label: l.label ?? null,
        line: l.text,
      },
    })),
    pageInfo: {
      endCursor: end === undefined ? null : String(end),
      hasNextPage: end !== undefined && end + 1 < run.log_lines,
    },
  };
}
