// The bare workflow's control worker, and who starts and tells the workflows: what API and control worker do in the product.
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/support.mjs';
import { quietRuntime } from './quiet.mjs';

const { BENCH_TEMPORAL: address, BENCH_QUEUE: agentQueue, BENCH_BUNDLE: codePath } = process.env;
const taskQueue = `${agentQueue}-control`;
const { launchAttributes } = await import(pathToFileURL(join(root, 'dist', 'workflows', 'search-attributes.js')).href);
quietRuntime();

let freed = () => undefined;
const done = new Map();
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowBundle: { codePath },
  maxCachedWorkflows: 300,
  stickyQueueScheduleToStartTimeout: '1 second',
  maxConcurrentActivityTaskExecutions: 16,
  activities: {
    async recordEnd({ launchId }) {
      done.get(launchId)?.();
      return { recorded: true, state: 'finished', exitCode: 0, failure: null };
    },
  },
});
const run = worker.run();
const clientConnection = await Connection.connect({ address });
const client = new Client({ connection: clientConnection });

/** As much as the product's note says. */
const noteOf = (launchId, v, state) => ({
  launchId,
  v,
  state,
  attempt: 1,
  target: 'process',
  queue: 'bare/bare',
  project: 'bare/bare',
  user: 'nobody',
  priority: 3,
  cancelRequested: false,
});

/** Starts `count` workflows, 32 requests at once, and lets `slots` of them run at a time, in order. */
async function round({ prefix, count, slots }) {
  const ids = Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(20 - prefix.length, '0')}`);
  const ended = ids.map((id) => new Promise((resolve) => done.set(id, resolve)));
  const begunAt = performance.now();
  const started = new Map();
  const waiting = [...ids];
  const starting = Array.from({ length: 32 }, async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const handle = client.workflow.signalWithStart('bare', {
        workflowId: `launch/${id}`,
        taskQueue,
        args: [{ launchId: id }],
        signal: 'tell',
        signalArgs: [noteOf(id, 1, 'queued')],
        workflowTaskTimeout: '5 seconds',
        staticSummary: 'a job on bare/bare',
        staticDetails: `Launch ${id} of bare/bare, by nobody, priority medium`,
        typedSearchAttributes: [
          { key: launchAttributes.queue, value: 'bare/bare' },
          { key: launchAttributes.status, value: 'queued' },
          { key: launchAttributes.project, value: 'bare/bare' },
          { key: launchAttributes.user, value: 'nobody' },
          { key: launchAttributes.target, value: 'process' },
          { key: launchAttributes.priority, value: 3 },
        ],
      });
      started.set(id, handle);
      await handle;
      freed();
    }
  });
  let free = slots;
  let next = 0;
  const telling = new Set();
  const tellNext = () => {
    while (free > 0 && next < count && started.has(ids[next])) {
      const id = ids[next++];
      free--;
      const claim = {
        id: crypto.randomUUID(),
        epoch: 1,
        agentId: 'bare',
        agentName: 'bare',
        privateQueue: agentQueue,
        place: 'bare',
      };
      const note = { ...noteOf(id, 2, 'claimed'), claim };
      telling.add(started.get(id).then((handle) => handle.signal('tell', note)));
    }
  };
  freed = tellNext;
  onFree = () => {
    free++;
    tellNext();
  };
  await Promise.all(starting);
  await Promise.all(ended);
  const seconds = (performance.now() - begunAt) / 1000;
  await Promise.all(telling);
  done.clear();
  return { count, seconds, perSecond: count / seconds, someId: `launch/${ids[count >> 1]}` };
}
let onFree = () => undefined;

const stop = async () => {
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await run;
  process.exit(0);
};
process.on('SIGTERM', stop);
process.once('disconnect', stop);
process.on('message', (message) => {
  if (message.kind === 'free') onFree();
  if (message.kind === 'round') void round(message).then((result) => process.send({ kind: 'done', ...result }));
});
process.send({ kind: 'ready' });
