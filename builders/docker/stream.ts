/** The Engine's answer to a long request: a line of JSON for each thing that happens. A failure is such a line, too, in an answer of status 200. */
export interface EngineMessage {
  id?: string;
  status?: string;
  error?: string;
  errorDetail?: { message?: string };
  aux?: unknown;
}

/** Longer lines are no message of an Engine. */
const maxLineBytes = 64 * 1024 * 1024;

export async function* engineMessages(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
): AsyncGenerator<EngineMessage> {
  const stop = (): void => void (stream as NodeJS.ReadableStream & { destroy(error?: Error): void }).destroy();
  signal.addEventListener('abort', stop, { once: true });
  let rest = '';
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes) throw new Error('the Engine sent a line without an end');
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as EngineMessage;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as EngineMessage;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
