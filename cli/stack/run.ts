import { execFile } from 'node:child_process';
import type { Program } from './incarnation.js';

export interface Outcome {
  /** Null when it was ended by a signal, by the time-out, or never started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a short program to its end. Never throws: the caller judges the outcome. */
export function run(program: Program, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Outcome> {
  return new Promise((resolve) => {
    const { command, args, env, cwd, uid, gid } = program;
    execFile(
      command,
      args,
      {
        timeout: options.timeoutMs,
        maxBuffer: 16 << 20,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(env === undefined ? {} : { env }),
        ...(cwd === undefined ? {} : { cwd }),
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve({ code: 0, stdout, stderr });
        const code = typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: stderr === '' ? error.message : stderr });
      },
    );
  });
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';
