/** One message of a container's log, as `logs?timestamps=1` frames it: 8 bytes of header, a time in nanoseconds, a space, what was printed. */
export interface LogMessage {
  /** As the Engine writes it; later ones sort behind. */
  at: string;
  data: Buffer;
}

const headerBytes = 8;

/** Takes a stream apart that is cut anywhere. What the stream breaks off in the middle of is not told. */
export class LogFrames {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): LogMessage[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const messages: LogMessage[] = [];
    let position = 0;
    while (bytes.length - position >= headerBytes) {
      const length = bytes.readUInt32BE(position + 4);
      const begin = position + headerBytes;
      if (bytes.length - begin < length) break;
      const message = messageOf(bytes.subarray(begin, begin + length));
      if (message) messages.push(message);
      position = begin + length;
    }
    this.rest = bytes.subarray(position);
    return messages;
  }
}

function messageOf(frame: Buffer): LogMessage | undefined {
  const space = frame.indexOf(0x20);
  return space < 0 ? undefined : { at: frame.toString('latin1', 0, space), data: frame.subarray(space + 1) };
}

/** What the Engine's `since` takes: seconds and nanoseconds. Inclusive. */
export function sinceOf(at: string): string {
  const [, fraction = ''] = /\.([0-9]+)/.exec(at) ?? [];
  const seconds = Math.floor(Date.parse(at.replace(/\.[0-9]+/, '')) / 1000);
  return `${seconds}.${fraction.padEnd(9, '0').slice(0, 9)}`;
}
