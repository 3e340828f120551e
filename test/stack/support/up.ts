import { join } from 'node:path';
import pino from 'pino';
import { startEmbedded } from '../../../cli/stack/embedded.js';

/**
 * A small `davit up`: the stack with one child of ours, on the data folder of the first argument; further arguments
 * are ports, as name=number. Prints one line of JSON when it is up, or when it fails.
 */
const [home = '', ...portArguments] = process.argv.slice(2);
const ports = Object.fromEntries(portArguments.map((text) => [text.split('=')[0], Number(text.split('=')[1])]));
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const interrupted = new AbortController();
process.once('SIGTERM', () => interrupted.abort());

try {
  const stack = await startEmbedded({
    home,
    env: process.env,
    ports,
    log: pino({ level: 'silent' }),
    signal: interrupted.signal,
    onEvent: ({ kind, part, message }) => say({ event: kind, part, message }),
    children: (endpoints) => [
      {
        name: 'child',
        program: () => ({
          command: process.execPath,
          args: [join(import.meta.dirname, 'child.js'), endpoints.home.run],
          env: process.env,
          channel: true,
        }),
      },
    ],
  });
  const { databaseUrl, temporalAddress, temporalUiUrl, temporalSource, apiPort, startedInMs } = stack;
  const stop = () => void stack.stop().then(() => process.exit(0));
  if (interrupted.signal.aborted) stop();
  interrupted.signal.addEventListener('abort', stop, { once: true });
  say({
    up: { databaseUrl, temporalAddress, temporalUiUrl, temporalSource, apiPort, startedInMs, ports: stack.ports },
    status: stack.status(),
  });
} catch (error) {
  const { code = null, message } = error as { code?: string; message: string };
  say({ failed: { code, message } });
  process.exitCode = 1;
}
