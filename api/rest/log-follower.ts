import { textOfChunk } from '../../domain/text-chunks.js';
import type { LogStream } from '../../domain/words.js';
import { bytesBefore, readLog } from '../../store/launch-logs.js';
import type { Store } from '../../store/open.js';

export interface LogText {
  n: number;
  attempt: number;
  stream: LogStream;
  fromByte: number;
  at: string;
  text: string;
}

/** Chunks read at once: bounds the memory of a reader who asks for everything. */
const chunksPerRead = 100;

/**
 * Reads a launch's log from behind chunk `after`, in order of chunk numbers, each exactly once. Chunk numbers have no gaps, so a hole means that an earlier
 * chunk is not committed yet: reading stops before it and goes on at the next call.
 */
export class LogReader {
  /** The last bytes of each stream that were read: where a cut character begins. */
  private readonly tails = new Map<string, Buffer>();

  constructor(
    private readonly db: Store,
    private readonly launchId: string,
    private after: number,
    private readonly filter: { stream?: LogStream | undefined; attempt?: number | undefined },
  ) {}

  /** Number of the last chunk that was read or passed over. */
  get position(): number {
    return this.after;
  }

  /** The next chunks; empty when there are none yet. `more`: read again at once. */
  async read(): Promise<{ chunks: LogText[]; more: boolean }> {
    const rows = await readLog(this.db, this.launchId, { after: this.after, limit: chunksPerRead, ...this.filter });
    const chunks: LogText[] = [];
    let taken = 0;
    for (const row of rows) {
      if (row.n !== this.after + 1) break;
      this.after = row.n;
      taken += 1;
      if (!row.wanted) continue;
      const key = `${row.attempt}/${row.stream}`;
      const place = { attempt: row.attempt, stream: row.stream, fromByte: row.from_byte };
      const before = this.tails.get(key) ?? (await bytesBefore(this.db, this.launchId, place));
      chunks.push({
        n: row.n,
        attempt: row.attempt,
        stream: row.stream,
        fromByte: row.from_byte,
        at: row.at.toISOString(),
        text: textOfChunk(before, row.data),
      });
      this.tails.set(key, Buffer.concat([before, row.data]).subarray(-4));
    }
    return { chunks, more: taken === chunksPerRead };
  }
}
