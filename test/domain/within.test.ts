import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { within } from '../../domain/within.js';
import { until } from '../support/until.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

test('a time limit ends the wait although garbage is collected meanwhile', async () => {
  const stop = new AbortController();
  let ended = 0;
  for (let n = 0; n < 20; n++)
    void within(stop.signal, 200, never).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'TimeoutError') ended++;
    });
  await until(() => {
    collectGarbage();
    return ended === 20;
  });
});

test('a stop from outside ends the wait with its own reason', async () => {
  const stop = new AbortController();
  const waiting = within(stop.signal, 60_000, never);
  stop.abort(new Error('no more'));
  await expect(waiting).rejects.toThrow('no more');
  await expect(within(stop.signal, 60_000, async (signal) => signal.aborted)).resolves.toBe(true);
});
