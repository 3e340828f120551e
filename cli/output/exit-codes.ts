/**
 * What the exit code of a command means. `davit launch` answers with the job's own code when the job ran to an end of its own; the
 * numbers for our own trouble lie where sysexits(3) has them, out of the way of what scripts usually answer with.
 */
export const exitCodes = {
  ok: 0,
  /** It was tried and failed; for a launch: it failed, and the job has no exit code of its own that says so. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  usage: 2,
  /** No API answers. A launch that was accepted goes on. */
  unavailable: 69,
  /** No key, or one that may not do that. */
  denied: 77,
  /** An agent that an operator stopped: whoever keeps it alive must not start it again. */
  dismissed: 79,
  /** Left by Ctrl-C, or the launch was cancelled. */
  interrupted: 130,
} as const;
