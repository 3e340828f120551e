import { spoilExports } from './history-exports.js';
import { foldOf, markDirty } from './metric-fold.js';
import type { Store } from './open.js';
import { writeLines } from './run-lines.js';
import type { MetricFile } from './schema.js';

/** Lines that hold metrics: what is written again below the fold is folded again. */
export async function writeMetricLines(
  tx: Store,
  runId: number,
  file: MetricFile,
  given: { offset: number; lines: readonly string[]; below: number },
): Promise<void> {
  const changed = await writeLines(tx, runId, file, given);
  if (changed.length === 0) return;
  if (file === 'history') await spoilExports(tx, runId, Math.min(...changed));
  const { folded } = await foldOf(tx, runId, file);
  await markDirty(
    tx,
    runId,
    file,
    changed.filter((line) => line < folded),
  );
}
