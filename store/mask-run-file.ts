import { Transform } from 'node:stream';
import type { Masks } from '../domain/masking.js';
import type { Blobs } from './blobs/blobs.js';
import type { Store } from './open.js';
import { noteRunFileStored, runFileKey } from './run-files.js';

/** The console as a file: clients upload it at the end of a run, beside the lines that they sent before. */
export const isConsoleFile = (name: string): boolean => name === 'output.log' || /^logs\/[^/]+\.log$/.test(name);

/** Stores the file again with stars for secrets, if it is there. */
export async function maskRunFile(db: Store, blobs: Blobs, runId: number, name: string, masks: Masks): Promise<void> {
  const key = runFileKey(runId, name);
  const stat = await blobs.stat(key);
  if (!stat || stat.size === 0) return;
  const masked = masks.stream();
  const source = await blobs.open(key);
  const stars = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const shown = masked.write(chunk);
      done(null, shown.length > 0 ? shown : undefined);
    },
    flush(done) {
      const rest = masked.end();
      done(null, rest.length > 0 ? rest : undefined);
    },
  });
  source.on('error', (error) => stars.destroy(error));
  const stored = await blobs.put(key, source.pipe(stars), { maxBytes: stat.size });
  await noteRunFileStored(db, key, stored);
}
