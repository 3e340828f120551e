import { sql } from 'kysely';
import { readSweepConfig, type SweepConfig } from '../domain/sweeps/config.js';
import type { SweepState } from '../domain/sweeps/state.js';
import type { Store } from './open.js';
import { storable } from './text.js';

/** Sweeps as rows. Their parameter sets are in sweep-sets.ts, what agents are told in sweep-heartbeat.ts. */

export type SweepRow = Awaited<ReturnType<typeof sweepById>> & object;

const selectSweeps = (db: Store) =>
  db
    .selectFrom('sweep')
    .innerJoin('project', 'project.id', 'sweep.project_id')
    .innerJoin('entity', 'entity.id', 'project.entity_id')
    .selectAll('sweep')
    .select(['project.name as project_name', 'project.entity_id', 'entity.name as entity_name']);

export const sweepById = (db: Store, id: number) => selectSweeps(db).where('sweep.id', '=', id).executeTakeFirst();

export const sweepByName = (db: Store, projectId: number, name: string): Promise<SweepRow | undefined> =>
  selectSweeps(db).where('sweep.project_id', '=', projectId).where('sweep.name', '=', name).executeTakeFirst();

/** The row, locked: whatever of this sweep is read or written behind it happens as if nobody else was there. */
export const lockSweep = (tx: Store, id: number) =>
  tx.selectFrom('sweep').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
export type LockedSweep = Awaited<ReturnType<typeof lockSweep>> & object;

export interface SweepPage {
  limit: number;
  /** Of the last one seen. */
  afterId?: number;
  name?: string;
  state?: SweepState;
}

/** Newest first; one more than the limit, to see whether there are more. */
export const listSweeps = (db: Store, projectId: number, page: SweepPage): Promise<SweepRow[]> =>
  selectSweeps(db)
    .where('sweep.project_id', '=', projectId)
    .$if(page.afterId !== undefined, (q) => q.where('sweep.id', '<', page.afterId ?? 0))
    .$if(page.name !== undefined, (q) => q.where('sweep.name', '=', page.name ?? ''))
    .$if(page.state !== undefined, (q) => q.where('sweep.state', '=', page.state ?? 'PENDING'))
    .orderBy('sweep.id', 'desc')
    .limit(page.limit + 1)
    .execute();

export async function countSweeps(db: Store, projectId: number): Promise<number> {
  const row = await db
    .selectFrom('sweep')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('project_id', '=', projectId)
    .executeTakeFirstOrThrow();
  return row.n;
}

export interface SweepFields {
  config?: string;
  method?: string;
  displayName?: string;
  description?: string;
  controller?: string;
  scheduler?: string;
  state?: SweepState;
}

export async function insertSweep(
  tx: Store,
  sweep: { projectId: number; name: string; userId?: number; config: string; fields: SweepFields },
): Promise<number> {
  const { id } = await tx
    .insertInto('sweep')
    .values({
      ...columns(sweep.fields),
      project_id: sweep.projectId,
      name: sweep.name,
      config: storable(sweep.config),
      user_id: sweep.userId ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function updateSweep(tx: Store, id: number, fields: SweepFields): Promise<void> {
  await tx
    .updateTable('sweep')
    .set({
      ...columns(fields),
      updated_at: sql`now()`,
      // Another config is another search: walk its grid from the start (what is there is skipped), and look again whether anything is left.
      ...(fields.config === undefined ? {} : { grid_next: 0, exhausted: false }),
      ...(fields.state === 'RUNNING' ? { exhausted: false } : {}),
    })
    .where('id', '=', id)
    .execute();
}

const columns = (fields: SweepFields) => ({
  ...(fields.config === undefined ? {} : { config: storable(fields.config) }),
  ...(fields.method === undefined ? {} : { method: storable(fields.method) }),
  ...(fields.displayName === undefined ? {} : { display_name: storable(fields.displayName) }),
  ...(fields.description === undefined ? {} : { description: storable(fields.description) }),
  ...(fields.controller === undefined ? {} : { controller: storable(fields.controller) }),
  ...(fields.scheduler === undefined ? {} : { scheduler: storable(fields.scheduler) }),
  ...(fields.state === undefined ? {} : { state: fields.state }),
});

/** Reading a config again at each heartbeat of each agent would cost more than all the rest of it. */
const read = new Map<string, SweepConfig>();
const mostRead = 100;

/** The config of a sweep; undefined when it was accepted by a version that read it otherwise. */
export function configOf(sweep: { config: string }): SweepConfig | undefined {
  const known = read.get(sweep.config);
  if (known) return known;
  const result = readSweepConfig(sweep.config);
  if ('errors' in result) return undefined;
  if (read.size >= mostRead) read.clear();
  read.set(sweep.config, result.config);
  return result.config;
}

/** How many runs there are of each of these sweeps. */
export async function countRunsOfSweeps(
  db: Store,
  projectId: number,
  names: readonly string[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map();
  const rows = await db
    .selectFrom('run')
    .select(['sweep_name', (eb) => eb.fn.countAll<number>().as('n')])
    .where('project_id', '=', projectId)
    .where('sweep_name', 'in', [...names])
    .groupBy('sweep_name')
    .execute();
  return new Map(rows.map((row) => [row.sweep_name ?? '', row.n]));
}
