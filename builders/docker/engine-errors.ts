/** Errors of the Engine's client: it puts the status and the Engine's own words beside its message. */
interface EngineError extends Error {
  statusCode?: number;
  json?: { message?: string } | null;
  code?: string;
}

export const isAbsent = (error: unknown): boolean => (error as EngineError).statusCode === 404;

/** The Engine's own words. */
export function engineReason(error: unknown): string {
  const { json, message, code } = error as EngineError;
  const words = typeof json?.message === 'string' ? json.message : (message ?? String(error));
  const reason = words.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
  return code !== undefined && !reason.includes(code) ? `${reason} (${code})` : reason;
}

export async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
