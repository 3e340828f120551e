import { sql, type Kysely } from 'kysely';
import { migrations } from './migrations/index.js';
import type { Schema } from './schema.js';

/** Any number that nobody else uses as a single-key advisory lock. */
const migrationLock = 4712_0001;

/** Brings the database to this program's version. Several programs may do so at once; one works, the others find it done. */
export async function migrate(db: Kysely<Schema>): Promise<{ applied: string[] }> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(tx);
    await sql`create table if not exists migration (number int primary key, name text not null, at timestamptz not null default now())`.execute(
      tx,
    );
    const done = await sql<{
      number: number;
      name: string;
    }>`select number, name from migration order by number`.execute(tx);
    for (const row of done.rows) {
      const ours = migrations[row.number - 1];
      if (!ours)
        throw new Error(`the database was made by a newer Davit (it has migration ${row.name}); upgrade this program`);
      if (ours.name !== row.name)
        throw new Error(
          `migration ${row.number} is ${row.name} in the database and ${ours.name} here: not one history`,
        );
    }
    const applied: string[] = [];
    for (const [index, migration] of migrations.entries()) {
      if (index < done.rows.length) continue;
      await sql.raw(migration.up).execute(tx);
      await sql`insert into migration (number, name) values (${index + 1}, ${migration.name})`.execute(tx);
      applied.push(migration.name);
    }
    return { applied };
  });
}
