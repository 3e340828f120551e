import { sql } from 'kysely';
import { afterStream } from '../domain/run-state.js';
import { isRunOpen } from '../domain/words.js';
import type { Store } from './open.js';
import { writeLines, type LineFile } from './run-lines.js';
import { tellLaunch } from './run-upsert.js';
import { storable } from './text.js';

/** One file-stream request, read and checked. */
export interface StreamMessage {
  lines: { file: LineFile; offset: number; lines: readonly string[] }[];
  /** A whole summary as JSON text. */
  summary?: string;
  preempting: boolean;
  complete: boolean;
  exitCode?: number;
}

/**
 * Applies one file-stream request: all of it or nothing. The client repeats a request whose answer was lost, and a repeated one changes nothing.
 * The run's row is locked first, so requests of one run take effect one after another. Undefined = there is no such run.
 */
export async function applyStream(
  db: Store,
  runId: number,
  message: StreamMessage,
): Promise<{ stopped: boolean } | undefined> {
  return db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('run')
      .select(['state', 'stopped', 'exit_code', 'launch_id', 'history_lines', 'events_lines', 'log_lines'])
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    if (!run) return undefined;

    const counts = { history: run.history_lines, events: run.events_lines, log: run.log_lines };
    let extended = false;
    for (const { file, offset, lines } of message.lines) {
      await writeLines(tx, runId, file, offset, lines);
      const end = lines.length === 0 ? 0 : offset + lines.length;
      if (end > counts[file]) {
        counts[file] = end;
        extended = true;
      }
    }

    const next = afterStream(
      { state: run.state, stopped: run.stopped, exitCode: run.exit_code },
      {
        complete: message.complete,
        exitCode: message.exitCode,
        preempting: message.preempting,
        extends: extended,
      },
    );
    const changed = next.state !== run.state;
    await tx
      .updateTable('run')
      .set({
        state: next.state,
        stopped: next.stopped,
        exit_code: next.exitCode,
        history_lines: counts.history,
        events_lines: counts.events,
        log_lines: counts.log,
        ...(message.summary === undefined ? {} : { summary: storable(message.summary) }),
        heartbeat_at: sql`now()`,
        ...(changed ? { ended_at: isRunOpen(next.state) ? null : sql`now()` } : {}),
      })
      .where('id', '=', runId)
      .execute();
    if (changed && run.launch_id !== null) await tellLaunch(tx, run.launch_id);
    return { stopped: next.stopped };
  });
}
