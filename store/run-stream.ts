import { sql } from 'kysely';
import { deriveSummary } from '../domain/derived-summary.js';
import { afterStream } from '../domain/run-state.js';
import { isRunOpen } from '../domain/words.js';
import { writeMetricLines } from './metric-lines.js';
import type { Store } from './open.js';
import { joinSummaries } from '../domain/joined-json.js';
import { writeLines, type LineFile } from './run-lines.js';
import { endReplay } from './run-replays.js';
import { placeKnown, placeShared } from './run-writers.js';
import { tellLaunch } from './run-upsert.js';
import { storable } from './text.js';

/** What a process says replaces what is there, unless others speak of the same run too, or the run has values that it does not know of. */
function summaryOf(stored: string, message: StreamMessage, joins: boolean): string {
  if (message.summary === undefined) return stored;
  return joins || message.derivesSummary ? joinSummaries(stored, message.summary) : message.summary;
}

/** One file-stream request, read and checked. */
export interface StreamMessage {
  /** Which process this is, when several write the run together. */
  writer?: string;
  lines: { file: LineFile; offset: number; lines: readonly string[] }[];
  /** The client leaves the summary to us, but for what its program set itself. */
  derivesSummary?: boolean;
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
      .select([
        'state',
        'stopped',
        'exit_code',
        'launch_id',
        'history_lines',
        'events_lines',
        'log_lines',
        'spoken',
        'line_base',
        'summary',
        'config',
      ])
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    if (!run) return undefined;

    const { writer } = message;
    if (writer === undefined && run.line_base.replay?.to === null) {
      // A former process, sent again: all that it can say is there, and later ones have spoken since.
      if (message.complete) await endReplay(tx, runId, run.line_base);
      return { stopped: false };
    }
    const counts = { history: run.history_lines, events: run.events_lines, log: run.log_lines };
    let extended = false;
    let summary = run.summary;
    const shared = writer === undefined ? undefined : await placeShared(tx, runId, writer, message, counts);
    const resumed = shared ? undefined : placeKnown(message.lines, run.line_base, message.complete);
    for (const { file, offset, lines } of shared?.lines ?? resumed?.lines ?? []) {
      if (file === 'log') await writeLines(tx, runId, file, { offset, lines });
      else await writeMetricLines(tx, runId, file, { offset, lines, below: counts[file] });
      if (message.derivesSummary && file === 'history')
        summary = deriveSummary(summary, run.config, lines.slice(Math.max(0, counts.history - offset)));
      const end = lines.length === 0 ? 0 : offset + lines.length;
      if (end > counts[file]) {
        counts[file] = end;
        extended = true;
      }
    }

    const next = afterStream(
      { state: run.state, stopped: run.stopped, exitCode: run.exit_code },
      {
        complete: message.complete && shared?.mayEnd !== false,
        exitCode: message.exitCode,
        preempting: message.preempting,
        // A late line of one of several processes is no new beginning: a process that begins says so first.
        extends: extended && !shared,
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
        ...(message.summary === undefined && summary === run.summary
          ? {}
          : {
              summary: storable(summaryOf(summary, message, shared !== undefined || run.line_base.inherits === true)),
            }),
        ...(run.spoken ? {} : { spoken: true }),
        ...(resumed?.bases ? { line_base: JSON.stringify(resumed.bases) } : {}),
        heartbeat_at: sql`now()`,
        ...(changed ? { ended_at: isRunOpen(next.state) ? null : sql`now()` } : {}),
      })
      .where('id', '=', runId)
      .execute();
    if (changed && run.launch_id !== null) await tellLaunch(tx, run.launch_id);
    return { stopped: next.stopped };
  });
}
