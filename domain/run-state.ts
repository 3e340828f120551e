import { isRunOpen, type RunState } from './words.js';

/** What one file-stream request says about the run, apart from its lines. */
export interface StreamSign {
  complete: boolean;
  exitCode: number | undefined;
  preempting: boolean;
  /** It brought lines that were not stored before. */
  extends: boolean;
}

export interface RunLife {
  state: RunState;
  stopped: boolean;
  exitCode: number | null;
}

/**
 * The run after a file-stream request. A request may arrive late or twice (its answer was lost), so an ended run is opened again only by
 * lines that are new: a repeated one cannot undo the end. A crashed run was only silent, and any sign of life revives it.
 */
export function afterStream(run: RunLife, sign: StreamSign): RunLife {
  if (sign.complete) {
    const exitCode = sign.exitCode ?? 0;
    return { state: endState(run, sign, exitCode), stopped: run.stopped, exitCode };
  }
  if (!isRunOpen(run.state) && run.state !== 'crashed') {
    if (!sign.extends) return run;
    // Resumed: the stop that ended its former life is not meant for this one.
    return { state: sign.preempting ? 'preempting' : 'running', stopped: false, exitCode: null };
  }
  const state = sign.preempting || run.state === 'preempting' ? 'preempting' : 'running';
  return { state, stopped: run.stopped, exitCode: null };
}

function endState(run: RunLife, sign: StreamSign, exitCode: number): RunState {
  if (exitCode === 0) return 'finished';
  // Pre-empted stays pre-empted when the last request comes twice.
  if (sign.preempting || run.state === 'preempting' || run.state === 'preempted') return 'preempted';
  return run.stopped ? 'killed' : 'failed';
}
