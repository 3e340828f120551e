/** What the API answers when it does not do what was asked (RFC 9457), as an error. */
export class DavitApiError extends Error {
  override readonly name = 'DavitApiError';
  /** Stable; one of the catalogue in docs/errors, or `api-unavailable` when there was no answer. */
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What happened in this case. */
  readonly detail: string;
  /** What to do next. */
  readonly fix: string | undefined;
  readonly requestId: string | undefined;
  /** When it makes sense to try again, if the server says so. */
  readonly retryAfterMs: number | undefined;
  /** The fields that a schema refused. */
  readonly errors: readonly { path: string; message: string }[];

  constructor(fields: {
    code: string;
    status: number;
    detail: string;
    fix?: string | undefined;
    requestId?: string | undefined;
    retryAfterMs?: number | undefined;
    errors?: readonly { path: string; message: string }[] | undefined;
    cause?: unknown;
  }) {
    super(fields.detail, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status;
    this.detail = fields.detail;
    this.fix = fields.fix;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
    this.errors = fields.errors ?? [];
  }
}

/** May the same request work a little later? */
export const isWorthRetrying = (error: unknown): boolean =>
  error instanceof DavitApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

export async function errorOfResponse(response: Response): Promise<DavitApiError> {
  const text = await response.text().catch(() => '');
  const problem = parseObject(text);
  const words = (key: string) => (typeof problem[key] === 'string' ? problem[key] : undefined);
  return new DavitApiError({
    code: words('code') ?? `http-${response.status}`,
    status: response.status,
    // Something in between (a proxy) answered in its own way.
    detail: words('detail') ?? words('title') ?? `The server answered ${response.status} ${response.statusText}`.trim(),
    fix: words('fix'),
    requestId: words('requestId') ?? response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    errors: Array.isArray(problem['errors']) ? (problem['errors'] as { path: string; message: string }[]) : undefined,
  });
}

export function unreachable(baseUrl: string, cause: unknown): DavitApiError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  // A DOMException (a time-out) has a number for a code, which tells nobody anything.
  const code = (inner as { code?: unknown } | null)?.code;
  const reason = inner instanceof Error ? (typeof code === 'string' ? code : inner.message) : String(inner);
  return new DavitApiError({
    code: 'api-unavailable',
    status: 0,
    detail: `The API at ${baseUrl} cannot be reached (${reason}).`,
    fix: 'Check the address, and that `davit up` or `davit server` runs there.',
    cause,
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
