import { setTimeout as wait } from 'node:timers/promises';
import { AgentApiRefusal } from './agent-api.js';

const firstPauseMs = 200;
const longestPauseMs = 5_000;

/** Repeats a call that can be repeated until the API answers or `signal` aborts. A refusal is an answer. */
export async function untilAnswered<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (error instanceof AgentApiRefusal) throw error;
    }
    await wait(pauseMs, undefined, { signal });
  }
}
