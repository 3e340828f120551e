import { sql } from 'kysely';
import type { Store } from './open.js';
import { storable } from './text.js';

export interface CustomChart {
  entityId: number;
  name: string;
  displayName: string;
  type: string;
  access: string;
  spec: string;
  createdBy: string;
}

/** Under its name; the same again changes nothing. */
export async function saveChart(db: Store, chart: CustomChart): Promise<{ id: number; changed: boolean }> {
  const columns = {
    display_name: storable(chart.displayName.slice(0, 200)),
    type: storable(chart.type.slice(0, 100)),
    access: storable(chart.access.slice(0, 100)),
    spec: storable(chart.spec),
    created_by: chart.createdBy,
  };
  const name = storable(chart.name.slice(0, 200));
  const written = await db
    .insertInto('custom_chart')
    .values({ entity_id: chart.entityId, name, ...columns })
    .onConflict((c) =>
      c.columns(['entity_id', 'name']).doUpdateSet(columns)
        .where(sql<boolean>`(custom_chart.spec, custom_chart.display_name, custom_chart.type, custom_chart.access)
          is distinct from (excluded.spec, excluded.display_name, excluded.type, excluded.access)`),
    )
    .returning('id')
    .executeTakeFirst();
  if (written) return { id: written.id, changed: true };
  const same = await db
    .selectFrom('custom_chart')
    .select('id')
    .where('entity_id', '=', chart.entityId)
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return { id: same.id, changed: false };
}
