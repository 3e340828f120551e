import { onParentGone } from './stack/parent.js';

/**
 * A signal that aborts when this process is asked to end: SIGINT, SIGTERM, or the end of the `davit up` that started it. A second request
 * ends it at once.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const ask = (why: string) => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(new Error(why));
  };
  process.on('SIGINT', () => ask('SIGINT'));
  process.on('SIGTERM', () => ask('SIGTERM'));
  onParentGone(() => {
    if (!stop.signal.aborted) stop.abort(new Error('the davit up that started this process is gone'));
  });
  return stop.signal;
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
