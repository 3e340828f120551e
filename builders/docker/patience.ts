import { LaunchError } from '../../domain/errors.js';
import { type Engine, EngineAway } from '../../targets/docker/engine.js';
import type { BuildContext } from '../builder.js';

export interface PatientEngine {
  engine: Engine;
  /** How long an Engine that does not answer is waited for. */
  patienceMs: number;
}

/** An Engine that dies of this very work is not killed for ever. */
const maxDeaths = 5;

/** Does it again when the Engine died meanwhile and came back: the work must be one that may be repeated. */
export async function patiently<T>(
  { engine, patienceMs }: PatientEngine,
  { signal, onLog }: Pick<BuildContext, 'signal' | 'onLog'>,
  work: () => Promise<T>,
): Promise<T> {
  for (let deaths = 1; ; deaths += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineAway)) throw error;
      if (deaths === maxDeaths) throw unavailable(error);
      onLog(`${error.message}; it is waited for, and asked again.\n`);
    }
    try {
      await engine.patiently((docker) => docker.ping(), { signal, patienceMs });
    } catch (error) {
      signal.throwIfAborted();
      throw unavailable(error);
    }
  }
}

const unavailable = (error: unknown): LaunchError =>
  new LaunchError(
    'builder-unavailable',
    'prepare',
    `${error instanceof Error ? error.message : String(error)}.`,
    error,
  );
