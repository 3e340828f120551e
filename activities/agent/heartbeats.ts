import { Context } from '@temporalio/activity';

/** The SDK sends at most every few seconds whatever we call; calling often keeps what it sends fresh. */
const everyMs = 1_000;

/** Heartbeats for as long as the work takes: their absence is how the agent's death is noticed, their answer how a cancel arrives. */
export async function withHeartbeats<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  context.heartbeat();
  const timer = setInterval(() => context.heartbeat(), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
