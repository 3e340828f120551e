import { StringDecoder } from 'node:string_decoder';

const maxLineLength = 64 << 10;

/** Cuts a byte stream into lines; a line without end is cut by force, so that memory stays bounded. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) this.onLine(line.replace(/\r$/, ''));
    if (this.#rest.length > maxLineLength) this.end();
  }

  end(): void {
    if (this.#rest !== '') this.onLine(this.#rest);
    this.#rest = '';
  }
}
