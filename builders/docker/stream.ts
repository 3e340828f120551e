import type Docker from 'dockerode';
import { type Engine, EngineAway, statusOf } from '../../targets/docker/engine.js';
import { engineReason } from './engine-errors.js';

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

type Opening = (docker: Docker, abortSignal: AbortSignal) => Promise<NodeJS.ReadableStream>;

/** Throws EngineAway when the answer breaks off, the Engine's refusal, or the signal's reason. */
export async function* engineMessages(
  engine: Engine,
  open: Opening,
  signal: AbortSignal,
): AsyncGenerator<EngineMessage> {
  const { body, end } = await engine.stream(
    async (docker, abortSignal) => (await open(docker, abortSignal)) as unknown as EngineStream,
    signal,
  );
  let rest = '';
  try {
    for await (const chunk of body) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes) throw new Error('it sent a line without an end');
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as EngineMessage;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as EngineMessage;
  } catch (error) {
    signal.throwIfAborted();
    throw brokenOff(engine, error);
  } finally {
    end();
  }
}

type EngineStream = AsyncIterable<Buffer> & { destroy(): unknown };

/** What a request that was being answered has met with. */
export function brokenOff(engine: Engine, error: unknown): unknown {
  if (error instanceof EngineAway || statusOf(error) !== undefined) return error;
  return new EngineAway(`The Docker Engine at ${engine.shown} broke off its answer: ${engineReason(error)}`, {
    cause: error,
  });
}
