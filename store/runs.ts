import { DavitError } from '../domain/errors.js';
import { isJsonObject, parseObjectOrEmpty, type Json } from '../domain/extended-json.js';
import type { RunState } from '../domain/words.js';
import type { Store } from './open.js';

/** Runs as others read them. Writing is in run-upsert.ts (their description) and run-stream.ts (what they log). */

export interface RunRecord {
  id: number;
  /** The short id that the client chose; unique in its project. */
  name: string;
  displayName: string;
  state: RunState;
  entity: string;
  project: string;
  projectId: number;
  /** Plain values, without what the client keeps for itself under `_wandb`. NaN and the like are strings. */
  config: Record<string, Json>;
  /** As the client sent it: `{ key: { value, desc? } }`. */
  rawConfig: Record<string, Json>;
  /** Last or chosen value of each metric, without `_wandb`. */
  summary: Record<string, Json>;
  notes: string;
  description: string;
  tags: string[];
  group: string;
  jobType: string;
  host: string;
  program: string;
  repo: string;
  commit: string;
  sweepName: string | null;
  username: string | null;
  launchId: string | null;
  stopped: boolean;
  exitCode: number | null;
  historyLines: number;
  eventsLines: number;
  logLines: number;
  createdAt: Date;
  heartbeatAt: Date;
  endedAt: Date | null;
}

/** A run's row with the names around it; config and summary are still text. */
export type RunRow = Awaited<ReturnType<typeof runById>> & object;

export const selectRuns = (db: Store) =>
  db
    .selectFrom('run')
    .innerJoin('project', 'project.id', 'run.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .leftJoin('user_account', 'user_account.id', 'run.user_id')
    .selectAll('run')
    .select([
      'project.name as project_name',
      'project.entity_id',
      'entity.name as entity_name',
      'user_account.username',
      'user_account.display_name as user_display_name',
    ]);

export const runById = (db: Store, id: number) => selectRuns(db).where('run.id', '=', id).executeTakeFirst();

/** By id, oldest first. */
export const runsByIds = (db: Store, ids: readonly number[]): Promise<RunRow[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : selectRuns(db)
        .where('run.id', 'in', [...ids])
        .orderBy('run.id')
        .execute();

export const runByName = (db: Store, projectId: number, name: string): Promise<RunRow | undefined> =>
  selectRuns(db).where('run.project_id', '=', projectId).where('run.name', '=', name).executeTakeFirst();

/** Runs by id, for lists. */
export async function rowsByIds(db: Store, ids: readonly number[]): Promise<Map<number, RunRow>> {
  if (ids.length === 0) return new Map();
  const rows = await selectRuns(db).where('run.id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function getRun(db: Store, projectId: number, name: string): Promise<RunRecord | undefined> {
  const row = await runByName(db, projectId, name);
  return row && toRunRecord(row);
}

export async function getRunByPath(
  db: Store,
  entity: string,
  project: string,
  name: string,
): Promise<RunRecord | undefined> {
  const row = await selectRuns(db)
    .where('entity.name', '=', entity)
    .where('project.name', '=', project)
    .where('run.name', '=', name)
    .executeTakeFirst();
  return row && toRunRecord(row);
}

/** The run of a launch; undefined until its job has called wandb.init. */
export async function getRunOfLaunch(db: Store, launchId: string): Promise<RunRecord | undefined> {
  const row = await selectRuns(db).where('run.launch_id', '=', launchId).orderBy('run.id').limit(1).executeTakeFirst();
  return row && toRunRecord(row);
}

export interface RunFilter {
  projectId?: number;
  entityId?: number;
  launchId?: string;
  state?: RunState | readonly RunState[];
}

/** Newest first. `nextCursor` is undefined on the last page. */
export async function listRuns(
  db: Store,
  filter: RunFilter,
  page: { cursor?: string; limit: number },
): Promise<{ items: RunRecord[]; nextCursor?: string }> {
  const rows = await listRunRows(db, filter, page);
  const items = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? items.at(-1) : undefined;
  return { items: items.map(toRunRecord), ...(last ? { nextCursor: runCursor(last) } : {}) };
}

/** One more than the limit, to see whether there are more. */
async function listRunRows(
  db: Store,
  filter: RunFilter,
  page: { cursor?: string; limit: number; ascending?: boolean },
): Promise<RunRow[]> {
  const { projectId, entityId, launchId, state } = filter;
  const after = page.cursor === undefined ? undefined : readCursor(page.cursor);
  return (
    selectRuns(db)
      .$if(projectId !== undefined, (q) => q.where('run.project_id', '=', projectId ?? 0))
      .$if(entityId !== undefined, (q) => q.where('project.entity_id', '=', entityId ?? 0))
      .$if(launchId !== undefined, (q) => q.where('run.launch_id', '=', launchId ?? ''))
      .$if(state !== undefined, (q) =>
        q.where('run.state', 'in', typeof state === 'string' ? [state] : [...(state ?? [])]),
      )
      .$if(after !== undefined, (q) => q.where('run.id', page.ascending ? '>' : '<', after ?? 0))
      // Ids count up with creation and, unlike times, never tie.
      .orderBy('run.id', 'desc')
      .limit(page.limit + 1)
      .execute()
  );
}

export function toRunRecord(row: RunRow): RunRecord {
  const rawConfig = parseObjectOrEmpty(row.config);
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    state: row.state,
    entity: row.entity_name,
    project: row.project_name,
    projectId: row.project_id,
    config: plainConfig(rawConfig),
    rawConfig,
    summary: withoutInternals(parseObjectOrEmpty(row.summary)),
    notes: row.notes,
    description: row.description,
    tags: row.tags,
    group: row.group_name,
    jobType: row.job_type,
    host: row.host,
    program: row.program,
    repo: row.repo,
    commit: row.commit,
    sweepName: row.sweep_name,
    username: row.username,
    launchId: row.launch_id,
    stopped: row.stopped,
    exitCode: row.exit_code,
    historyLines: row.history_lines,
    eventsLines: row.events_lines,
    logLines: row.log_lines,
    createdAt: row.created_at,
    heartbeatAt: row.heartbeat_at,
    endedAt: row.ended_at,
  };
}

const withoutInternals = (values: Record<string, Json>): Record<string, Json> =>
  Object.fromEntries(Object.entries(values).filter(([key]) => key !== '_wandb'));

function plainConfig(raw: Record<string, Json>): Record<string, Json> {
  const entries = Object.entries(withoutInternals(raw));
  // An entry without `value` is from a hand-made config: shown as it is.
  return Object.fromEntries(
    entries.map(([key, entry]) => [key, isJsonObject(entry) && 'value' in entry ? (entry['value'] ?? null) : entry]),
  );
}

export const runCursor = (row: { id: number }): string => Buffer.from(`run ${row.id}`).toString('base64url');

function readCursor(cursor: string): number {
  const match = /^run (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match?.[1]) throw new DavitError('invalid-request', 'This cursor is not one of ours.');
  return Number(match[1]);
}
