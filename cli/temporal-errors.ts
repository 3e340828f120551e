/** Is this error Temporal being away, or not ready yet? Then waiting helps. */
export function isTemporalUnavailable(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    // gRPC: 4 DEADLINE_EXCEEDED, 14 UNAVAILABLE. 5 NOT_FOUND is the namespace of a server that is still making it.
    const { code } = cause as { code?: unknown };
    if (code === 4 || code === 14 || (code === 5 && /namespace/i.test(cause.message))) return true;
    if (cause.name === 'TransportError' || cause.name === 'IllegalStateError') return cause.name === 'TransportError';
    if (
      /Namespace .* (was )?not found|transport error|connection refused|deadline|Unavailable|tcp connect/i.test(
        cause.message,
      )
    ) {
      return true;
    }
  }
  return false;
}
