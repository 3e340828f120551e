/** Set by the supervisor in the environment of a child that has a channel to it. */
export const supervisorMark = 'DAVIT_SUPERVISOR_PID';

/**
 * Calls back once when the supervisor that started this process is gone, however it ended: the channel between them
 * closes with it. Started by anybody else (by hand, by another service manager) it does nothing. Call it first thing
 * in an entry point.
 */
export function onParentGone(callback: () => void): void {
  const mark = process.env[supervisorMark];
  if (mark === undefined) return;
  // Not for our own children: they have no channel and would take themselves for orphans.
  delete process.env[supervisorMark];
  // The log pipe breaks with the supervisor; without this, the first line written after that would be fatal.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  if (!process.connected) {
    setImmediate(callback);
    return;
  }
  process.once('disconnect', callback);
  // The listener makes the channel keep this process alive; its own work should decide that.
  process.channel?.unref();
}
