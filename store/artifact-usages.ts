import type { Store } from './open.js';

/** The run used the version. Saying it again changes nothing but the name that it was used as. */
export const useVersion = (
  db: Store,
  usage: { runId: number; artifactId: number; usedAs?: string | null | undefined },
) =>
  db
    .insertInto('artifact_usage')
    .values({ run_id: usage.runId, artifact_id: usage.artifactId, used_as: usage.usedAs ?? null })
    .onConflict((c) =>
      c
        .columns(['run_id', 'artifact_id'])
        .doUpdateSet((eb) => ({ used_as: eb.fn.coalesce('excluded.used_as', 'artifact_usage.used_as') })),
    )
    .execute();
