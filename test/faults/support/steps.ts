/**
 * The steps of a launch at which somebody can be killed, as they show between an agent and the API, in the target's folder, and in the
 * store. No step is a hook of the product: a proxy sees the calls, and files are files.
 */

/** Calls of the agent protocol, and the client's enqueue. */
export const calls = [
  'enqueue',
  /** The ticket was taken; who is first in line? */
  'claim',
  /** First act of supervise. */
  'confirm',
  /** Preparing begins. */
  'prepare',
  /** The job's code is downloaded. */
  'fetch',
  /** Preparing has ended. */
  'prepared',
  /** The last fence before there is a job. */
  'submit',
  /** What the job must know; the job is created next. */
  'secrets',
  /** The job exists, and the store is told. */
  'record',
  /** The last bytes of its log: it has ended, and the workflow is told next. */
  'finish',
] as const;
export type Call = (typeof calls)[number];

/** Files of the process target. */
export const fileSteps = ['create', 'exit'] as const;
export type FileStep = (typeof fileSteps)[number];

export type Step = Call | FileStep | 'recorded';

export type Moment =
  /** It was asked for and is not done. For `create`: somebody means to start the job. */
  | 'before'
  /** It is done, and whoever asked does not know. For `create`: the job has started. */
  | 'done'
  /** Whoever asked was answered. */
  | 'after';
export const moments = ['before', 'done', 'after'] as const satisfies Moment[];

export interface SeenCall {
  call: Call;
  launchId: string | undefined;
}

const launchCall = /^\/api\/v1\/agents\/[^/]+\/launches\/([^/]+)\/([a-z-]+)$/;

/** Undefined: a call that is no step. */
export function stepOf(method: string, url: string, body: Buffer): SeenCall | undefined {
  const { pathname, searchParams } = new URL(url, 'http://x');
  if (method === 'POST' && pathname === '/api/v1/launches') return { call: 'enqueue', launchId: undefined };
  if (/^\/api\/v1\/agents\/[^/]+\/claim$/.test(pathname)) return { call: 'claim', launchId: undefined };
  const [, launchId, what] = launchCall.exec(pathname) ?? [];
  switch (what) {
    case 'confirm':
      return { call: 'confirm', launchId };
    case 'code':
      return { call: 'fetch', launchId };
    case 'secrets':
      return { call: 'secrets', launchId };
    case 'progress': {
      const { state } = JSON.parse(body.toString()) as { state?: string };
      if (state === 'preparing') return { call: 'prepare', launchId };
      if (state === 'submitting') return { call: 'submit', launchId };
      return state === 'running' ? { call: 'record', launchId } : undefined;
    }
    case 'log': {
      if (searchParams.get('ended') !== 'true') return undefined;
      if (searchParams.get('stream') === 'prepare') return { call: 'prepared', launchId };
      return searchParams.get('stream') === 'stdout' ? { call: 'finish', launchId } : undefined;
    }
    default:
      return undefined;
  }
}

/** A claim that came too late for anybody is no step of a launch; the others carry it. */
export function launchOf(seen: SeenCall, answer: Buffer): string | undefined {
  if (seen.call !== 'claim') return seen.launchId ?? idOf(answer);
  const { outcome, launchId } = JSON.parse(answer.toString()) as { outcome?: string; launchId?: string };
  return outcome === 'granted' ? launchId : undefined;
}

const idOf = (answer: Buffer): string | undefined => (JSON.parse(answer.toString()) as { id?: string }).id;
