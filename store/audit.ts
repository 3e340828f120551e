import type { Store } from './open.js';

/** Who changed what. `subject` is the address of the thing (`queue/ada/gpu`), `data` never holds a secret. */
export async function audit(
  db: Store,
  entry: { actor: string; action: string; subject: string; data?: Record<string, unknown> },
): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      data: JSON.stringify(entry.data ?? {}),
    })
    .execute();
}
