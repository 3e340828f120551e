import { countRunFiles } from '../../../store/run-files.js';
import { readRunMetadata } from '../../../store/run-metadata.js';
import type { Context, RunParent } from '../context.js';

export const runInfoResolvers = { Run: { runInfo } };

/** What wandb-metadata.json says. Read from the stored file, so for one run at a time: no client asks it of a list. */
async function runInfo(run: RunParent, _: unknown, { db, blobs }: Context) {
  const metadata = await readRunMetadata(db, blobs, run.id);
  if (!metadata) return null;
  return {
    ...metadata,
    colab: null,
    codeSaved: (await countRunFiles(db, run.id, { pattern: 'code/%' })) > 0,
  };
}
