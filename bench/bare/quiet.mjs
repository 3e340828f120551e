import { DefaultLogger, Runtime } from '@temporalio/worker';

/** Once per process, before anything else of Temporal. */
export function quietRuntime() {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message }) => console.error(`${level} ${message}`)),
    shutdownSignals: [],
    workerHeartbeatInterval: '5 seconds',
  });
}
