import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const defaultMaxBytes = 10 << 20;

/** The log of one part: appended to, moved aside to `.1` when it grows too large, so twice the limit is its bound. */
export class LogFile {
  #file: number | null = null;
  #bytes = 0;

  constructor(
    readonly path: string,
    readonly maxBytes = defaultMaxBytes,
  ) {}

  /** Never throws: a full disk must not end the process that keeps everything else alive. */
  write(text: string): void {
    try {
      const bytes = Buffer.from(text);
      if (this.#file === null) this.#open();
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.maxBytes) this.#rotate();
      if (this.#file !== null) this.#bytes += writeSync(this.#file, bytes);
    } catch {
      this.close();
    }
  }

  close(): void {
    if (this.#file === null) return;
    try {
      closeSync(this.#file);
    } catch {
      // Nothing is lost that could still be saved.
    }
    this.#file = null;
  }

  #open(): void {
    this.#file = openSync(this.path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  #rotate(): void {
    this.close();
    renameSync(this.path, `${this.path}.1`);
    this.#open();
  }
}
