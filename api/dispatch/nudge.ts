import type { Logger } from 'pino';
import { left } from '../../store/line.js';
import type { Store } from '../../store/open.js';
import { controlTaskQueue, lineWorkflowId, workflowTypes } from '../../workflows/ids.js';
import { signalNames, type LineInput } from '../../workflows/messages.js';
import type { LazyTemporal } from './temporal-client.js';

export interface LineRef {
  queueId: number;
  entity: string;
  queue: string;
  /** Which line of the queue: hash of the labels that its launches require. Default: that of launches that require none. */
  class?: string;
}

const deadlineMs = 5_000;
/** Between two notes to the same line: a burst of enqueues needs few, and each costs the workflow four events. */
const pauseMs = 150;

/**
 * Tells lines that somebody waits. Coalesced per line: the first goes at once, what comes while it is under way or shortly after is one more.
 * A note that is lost (crash, Temporal away) is made up for by the sweep over lines that do not move.
 */
export function lineNudger(db: Store, temporal: LazyTemporal, log: Logger) {
  const busy = new Map<string, { again: boolean }>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  async function send(line: LineRef): Promise<void> {
    const waiting = await left(db, line.queueId, line.class);
    if (waiting === 0) return;
    const client = await temporal.get();
    const input: LineInput = { queueId: line.queueId, entity: line.entity, queue: line.queue };
    if (line.class) input.class = line.class;
    await client.connection.withDeadline(Date.now() + deadlineMs, () =>
      client.workflow.signalWithStart(workflowTypes.line, {
        workflowId: lineWorkflowId(line.entity, line.queue, line.class),
        taskQueue: controlTaskQueue,
        args: [input],
        signal: signalNames.more,
        signalArgs: [waiting],
        // One workflow drives the whole line: a control worker that dies must not stop it for the usual ten seconds.
        workflowTaskTimeout: '2 seconds',
        staticSummary: `line of ${line.entity}/${line.queue}`,
      }),
    );
  }

  return {
    nudge(line: LineRef): void {
      const key = keyOf(line);
      const under = busy.get(key);
      if (under) {
        under.again = true;
        return;
      }
      if (stopped) return;
      const state = { again: false };
      busy.set(key, state);
      void send(line)
        .catch((error: unknown) => {
          log.debug(
            { queue: `${line.entity}/${line.queue}`, error: String(error) },
            'a line could not be told; the sweep will',
          );
        })
        .finally(() => {
          const timer = setTimeout(() => {
            timers.delete(timer);
            busy.delete(key);
            if (state.again) this.nudge(line);
          }, pauseMs);
          timers.add(timer);
        });
    },
    stop(): void {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

export const keyOf = (line: LineRef): string => `${line.queueId}/${line.class ?? ''}`;
export type LineNudger = ReturnType<typeof lineNudger>;
