import { LaunchError } from '../../domain/errors.js';
import { type Engine, EngineAway } from '../../targets/docker/engine.js';
import type { BuildContext } from '../builder.js';

export interface PatientEngine {
  engine: Engine;
  /** How long an Engine that does not answer is waited for. */
  patienceMs: number;
}

/** Does it again when the Engine died meanwhile and came back: the work must be one that may be repeated. */
export async function patiently<T>(
  { engine, patienceMs }: PatientEngine,
  { signal, onLog }: Pick<BuildContext, 'signal' | 'onLog'>,
  work: () => Promise<T>,
): Promise<T> {
  const onAway = ({ message }: EngineAway): void => onLog(`${message}; it is waited for, and asked again.\n`);
  try {
    return await engine.throughAbsences(work, { signal, patienceMs, onAway });
  } catch (error) {
    throw error instanceof EngineAway ? unavailable(error) : error;
  }
}

const unavailable = (error: unknown): LaunchError =>
  new LaunchError(
    'builder-unavailable',
    'prepare',
    `${error instanceof Error ? error.message : String(error)}.`,
    error,
  );
