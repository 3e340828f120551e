/**
 * Gives the work a signal that aborts when `signal` does, or after `ms`. Not `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: Node 20 loses
 * such a time-out at the next garbage collection (measured: 0 of 50 fired), and whoever waits for it waits for ever.
 */
export async function within<T>(
  signal: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const onAbort = (): void => both.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => both.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError')), ms);
  try {
    return await work(both.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
