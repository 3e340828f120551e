import { catalogue, DavitError, isErrorCode } from '../../domain/errors.js';
import { DavitApiError } from '../../client/index.js';
import { exitCodes } from './exit-codes.js';
import { colorsFor, plain } from './terminal.js';

/** An error as a program reads it: the problem of an API, or one of the same form for what went wrong here. */
interface Problem {
  code: string;
  title: string;
  detail: string;
  fix: string;
  status?: number;
  requestId?: string;
  errors?: { path: string; message: string }[];
  [more: string]: unknown;
}

/** Says on standard error what went wrong and what to do next; answers the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const problem = problemOf(error);
  process.stderr.write(`${json ? JSON.stringify(problem) : wordsOf(problem)}\n`);
  if (problem.code === 'internal' && process.env['DAVIT_LOG_LEVEL'] === 'debug' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  return exitCodeOf(problem.code);
}

export function problemOf(error: unknown): Problem {
  if (error instanceof DavitApiError) {
    const { code, detail, fix, status, requestId, errors } = error;
    return {
      code,
      title: isErrorCode(code) ? catalogue[code].title : detail,
      detail,
      fix: fix ?? 'Look up the request id in the log of the API.',
      ...(status === 0 ? {} : { status }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(errors.length === 0 ? {} : { errors: [...errors] }),
    };
  }
  if (error instanceof DavitError) {
    const { code, message, details, entry } = error;
    return {
      code,
      title: entry.title,
      detail: message,
      fix: entry.fix,
      ...(details?.errors === undefined ? {} : { errors: details.errors }),
      ...details?.extra,
    };
  }
  const { title } = catalogue.internal;
  return {
    code: 'internal',
    title,
    detail: `Davit failed: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'This is a defect. With DAVIT_LOG_LEVEL=debug the same command also says where.',
  };
}

function wordsOf(problem: Problem): string {
  const colors = colorsFor(process.stderr);
  // One problem with one field is told by the sentence already.
  const fields = (problem.errors ?? []).map(({ path, message }) => `  ${plain(path)} ${plain(message)}`);
  return [
    `${colors.red(colors.bold('error'))} ${plain(problem.detail)}`,
    ...(fields.length > 1 ? fields : []),
    `${colors.bold('next')}  ${plain(problem.fix)}`,
    colors.dim(`code  ${problem.code}${problem.requestId === undefined ? '' : `, request ${problem.requestId}`}`),
  ].join('\n');
}

const usageCodes = new Set([
  'wrong-usage',
  'invalid-configuration',
  'invalid-request',
  'invalid-priority',
  'missing-entry-point',
  'unknown-queue',
  'unknown-job',
]);
const unavailableCodes = new Set(['not-running', 'api-unavailable', 'store-unavailable', 'temporal-unavailable']);

function exitCodeOf(code: string): number {
  if (usageCodes.has(code)) return exitCodes.usage;
  if (unavailableCodes.has(code)) return exitCodes.unavailable;
  if (code === 'unauthenticated' || code === 'forbidden') return exitCodes.denied;
  if (code === 'agent-stopped') return exitCodes.dismissed;
  return exitCodes.failed;
}
