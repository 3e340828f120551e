import { pino } from 'pino';
import type { Logger } from 'pino';
import { colorsFor, isTerminal } from './terminal.js';

export interface LogOptions {
  part: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  format: 'auto' | 'json' | 'text';
}

/** Whatever a careless line might carry is cut out by its name. */
const secretPaths = ['apiKey', 'agentKey', 'password', 'databaseUrl', 'authorization', 'secrets'].flatMap((name) => [
  name,
  `*.${name}`,
]);

/** The log of a process, on standard output: JSON lines, or text where a person reads. */
export function createLog(options: LogOptions): Logger {
  const asText = options.format === 'text' || (options.format === 'auto' && isTerminal(process.stdout));
  const settings = {
    level: options.level,
    base: { part: options.part },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '(secret)' },
  };
  // Synchronous: the last line before a crash is the one that is needed.
  if (!asText) return pino(settings, pino.destination({ dest: 1, sync: true }));
  return pino(settings, { write: (line: string) => void process.stdout.write(textOf(line)) });
}

/** `12:34:56.789 info  server: sentence  key=value …`, with the stack of an error below it. */
function textOf(line: string): string {
  const colors = colorsFor(process.stdout);
  try {
    const { level, time, part, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const paint = level === 'error' ? colors.red : level === 'warn' ? colors.yellow : (text: string) => text;
    const more = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const stack = (err as { stack?: string } | undefined)?.stack;
    const head = `${colors.dim(String(time).slice(11, 23))} ${paint(`${String(level).padEnd(5)} ${String(part)}: ${String(msg)}`)}`;
    return `${head}${more.length > 0 ? colors.dim(`  ${more.join(' ')}`) : ''}\n${stack === undefined ? '' : `${stack}\n`}`;
  } catch {
    return line;
  }
}
