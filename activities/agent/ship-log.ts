import type { LogPiece } from '../../targets/target.js';
import type { LogStream } from '../../domain/words.js';
import type { MaskedStream, Masks } from '../../domain/masking.js';
import { AgentApiRefusal, type AgentApi } from './agent-api.js';
import { untilAnswered } from './retry.js';

export interface LogTarget {
  api: AgentApi;
  launchId: string;
  claim: string;
  attempt: number;
  stream: LogStream;
  /** What must not be seen in it. */
  masks: Masks;
}

/**
 * Ships one stream of a job from where the API has it to its end. The API's length is the only truth about how far it got: after a break,
 * a restart or an adoption the next piece begins there, so nothing is missed or doubled whoever ships. Ends early when the claim is lost.
 */
export async function shipLog(
  target: LogTarget,
  read: (fromByte: number, signal: AbortSignal) => AsyncIterable<LogPiece>,
  signal: AbortSignal,
  /** Who started the job itself need not ask where the API is. Were it further, its first answer says so. */
  from?: number,
): Promise<void> {
  const append = (fromByte: number, data: Uint8Array, atMs: number, ended: boolean): Promise<number | undefined> =>
    untilAnswered(signal, () => {
      const { claim, attempt, stream } = target;
      return target.api.appendLog(target.launchId, { claim, attempt, stream, fromByte, atMs, data, ended });
    });
  try {
    let position = from ?? (await append(0, new Uint8Array(), Date.now(), false));
    reading: for (;;) {
      if (position === undefined) return;
      for await (const piece of masked(read(position, signal), target.masks)) {
        const length: number | undefined = await append(piece.fromByte, piece.data, piece.atMs, false);
        if (length === undefined) return;
        const expected = piece.fromByte + piece.data.length;
        position = length;
        // Somebody else ships as well and is further, or the API lost its tail: read on from where it is.
        if (length !== expected) continue reading;
      }
      break;
    }
    if (!signal.aborted) await append(position, new Uint8Array(), Date.now(), true);
  } catch (error) {
    if (error instanceof AgentApiRefusal || signal.aborted) return;
    throw error;
  }
}

/** The pieces with stars for secrets. What could be the beginning of one waits for the next piece, so no piece ends within one. */
async function* masked(pieces: AsyncIterable<LogPiece>, masks: Masks): AsyncIterable<LogPiece> {
  const stream = masks.stream();
  let end: { byte: number; atMs: number } | undefined;
  const rest = function* () {
    const fromByte = (end?.byte ?? 0) - stream.held;
    const data = stream.end();
    if (data.length > 0) yield { fromByte, data, atMs: end?.atMs ?? 0 };
  };
  for await (const { fromByte, data, atMs } of pieces) {
    // Some of the output is gone for good: what is held does not go on here.
    if (end !== undefined && fromByte !== end.byte) yield* rest();
    const begin = fromByte - stream.held;
    const shown = stream.write(data);
    end = { byte: fromByte + data.length, atMs };
    if (shown.length > 0) yield { fromByte: begin, data: shown, atMs };
  }
  yield* rest();
}

/** A stream that is written here (the preparation's output): appended behind what is there, small writes gathered. */
export class LogWriter {
  private pending: Buffer[] = [];
  private position: number | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private lost = false;
  private readonly masked: MaskedStream;

  constructor(
    private readonly target: LogTarget,
    private readonly signal: AbortSignal,
  ) {
    this.masked = target.masks.stream();
  }

  write(text: string): void {
    this.gather(this.masked.write(Buffer.from(text)));
  }

  private gather(data: Uint8Array): void {
    if (data.length === 0) return;
    this.pending.push(Buffer.from(data));
    if (this.pending.length === 1) this.flushing = this.flushing.then(() => this.flush(false));
  }

  async end(): Promise<void> {
    this.gather(this.masked.end());
    this.flushing = this.flushing.then(() => this.flush(true));
    await this.flushing;
  }

  private async flush(ended: boolean): Promise<void> {
    const data = Buffer.concat(this.pending);
    this.pending = [];
    if (this.lost || this.signal.aborted) return;
    const { api, launchId, claim, attempt, stream } = this.target;
    const append = (fromByte: number, bytes: Uint8Array, last: boolean): Promise<number | undefined> =>
      untilAnswered(this.signal, () =>
        api.appendLog(launchId, { claim, attempt, stream, fromByte, atMs: Date.now(), data: bytes, ended: last }),
      );
    try {
      // Nothing was written: the end alone says all, wherever an earlier preparation got to.
      if (ended && data.length === 0 && this.position === undefined) {
        await append(0, data, true);
        return;
      }
      this.position ??= await append(0, new Uint8Array(), false);
      if (this.position === undefined) this.lost = true;
      else this.position = await append(this.position, data, ended);
    } catch {
      // The claim is lost, or we are being stopped: what is left of the preparation's output has no reader.
      this.lost = true;
    }
  }
}
