import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';

const maxFileBytes = 1024 * 1024;

/** The text of the first file of a tar. */
export async function firstFile(archive: NodeJS.ReadableStream): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let taken = false;
  let size = 0;
  const take = (entry: ReadEntry): void => {
    if (taken || entry.type !== 'File') return void entry.resume();
    taken = true;
    entry.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxFileBytes) chunks.push(chunk);
    });
  };
  await pipeline(archive, new Parser({ onReadEntry: take }) as unknown as NodeJS.WritableStream);
  return taken ? Buffer.concat(chunks).toString('utf8') : undefined;
}
