// The bare workflow's agent: one worker on a private queue, as the product's agent has one, and activities that do nothing.
import { Context } from '@temporalio/activity';
import { NativeConnection, Worker } from '@temporalio/worker';
import { quietRuntime } from './quiet.mjs';

const { BENCH_TEMPORAL: address, BENCH_QUEUE: taskQueue } = process.env;
quietRuntime();

const gates = new Map();
const gateOf = (name) => {
  let gate = gates.get(name);
  if (!gate) {
    let open;
    gate = { promise: new Promise((resolve) => (open = resolve)), open: () => open() };
    gates.set(name, gate);
  }
  return gate;
};
const heartbeat = () => Context.current().heartbeat();

const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  maxConcurrentActivityTaskExecutions: 10_000,
  maxHeartbeatThrottleInterval: '4 seconds',
  defaultHeartbeatThrottleInterval: '4 seconds',
  activities: {
    async supervise({ name, launchId, attempt }) {
      heartbeat();
      await gateOf(name).promise;
      gates.delete(name);
      process.send({ kind: 'free' });
      return { kind: 'ended', status: { name, launchId, attempt, agentId: 'bare', state: 'ended', exitCode: 0 } };
    },
    async prepare() {
      heartbeat();
    },
    async submit({ name }) {
      heartbeat();
      gateOf(name).open();
      return { adopted: false };
    },
  },
});
const stop = () => worker.getState() === 'RUNNING' && worker.shutdown();
process.on('SIGTERM', stop);
process.once('disconnect', stop);
const run = worker.run();
process.send({ kind: 'ready' });
await run;
process.exit(0);
