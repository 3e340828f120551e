/** Errors of the Engine's client: it puts the Engine's own words beside its message. */
interface EngineError extends Error {
  json?: { message?: string } | null;
  code?: string;
}

/** The Engine's own words. */
export function engineReason(error: unknown): string {
  const { json, message, code } = error as EngineError;
  const words = typeof json?.message === 'string' ? json.message : (message ?? String(error));
  const reason = words.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
  return code !== undefined && !reason.includes(code) ? `${reason} (${code})` : reason;
}
