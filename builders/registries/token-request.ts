import { LaunchError } from '../../domain/errors.js';
import { within } from '../../domain/within.js';
import { reasonOf } from './registry.js';

const patienceMs = 15_000;
const maxAnswerBytes = 64 * 1024;

/** Asks a cloud for a token. What it answers besides is not repeated: it may hold what it was sent. */
export async function requestToken(
  { who, host, url, init, field }: { who: string; host: string; url: string; init: RequestInit; field: string },
  signal: AbortSignal,
): Promise<{ token: string; expiresAtMs: number }> {
  const refused = (why: string, cause?: unknown): LaunchError =>
    new LaunchError('registry-refused', 'prepare', `${who} gave no login for ${host}: ${why}.`, cause);
  let status: number;
  let text: string;
  try {
    ({ status, text } = await within(signal, patienceMs, async (soon) => {
      const answer = await fetch(url, { ...init, signal: soon, redirect: 'error' });
      return { status: answer.status, text: (await answer.text()).slice(0, maxAnswerBytes) };
    }));
  } catch (error) {
    signal.throwIfAborted();
    throw refused(reasonOf(error), error);
  }
  if (status !== 200) throw refused(`it answered ${status}`);
  const body = parsed(text);
  const token = body[field];
  if (typeof token !== 'string' || token === '') throw refused('its answer holds none');
  const seconds = Number(body['expires_in'] ?? 3600);
  return { token, expiresAtMs: Date.now() + (Number.isFinite(seconds) ? seconds : 3600) * 1000 };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
