import { findValidKey, hashOfKey, isKeyText, touchKey } from '../../store/keys.js';
import type { Store } from '../../store/open.js';

/** Who makes a request. */
export interface Actor {
  kind: 'user' | 'agent' | 'run';
  keyId: string;
  /** For the audit trail and as the owner of idempotency keys: username, `agent:<description>`, `run:<launch id>`. */
  name: string;
  userId?: number;
  username?: string;
  isAdmin: boolean;
  /** agent, run: the one entity this key reaches. */
  entityId?: number;
  /** user: its own entity. */
  homeEntity?: { id: number; name: string };
  /** run: the one launch this key reaches. */
  launchId?: string;
  /** agent: the queues that its key is bound to; absent: every one of the entity. */
  queueIds?: readonly number[];
}

/** How long a key that was valid is believed to be so. The price: a key revoked by another API process works that much longer. */
const cacheMs = 3_000;
const cacheEntries = 10_000;
const touchEveryMs = 60_000;

interface Entry {
  actor: Actor;
  untilMs: number;
}
interface Cache {
  entries: Map<string, Entry>;
  touchedMs: Map<string, number>;
}
/** By store, so that two stores in one process (tests) share nothing. */
const caches = new WeakMap<object, Cache>();

/** The key in an `Authorization` header: `Bearer KEY`, or Basic with any user name (`api:KEY`), as the wandb client sends it. */
export function keyOfHeader(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [scheme, rest] = splitOnce(header.trim(), ' ');
  const value = rest.trim();
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'basic':
      return splitOnce(Buffer.from(value, 'base64').toString('utf8'), ':')[1];
    default:
      return undefined;
  }
}

/** Undefined when there is no key, or not a valid one. */
export async function authenticate(db: Store, authorizationHeader: string | undefined): Promise<Actor | undefined> {
  const key = keyOfHeader(authorizationHeader);
  if (key === undefined || !isKeyText(key)) return undefined;
  const hash = hashOfKey(key);
  const cache = cacheOf(db);
  const id = hash.toString('base64');
  const nowMs = Date.now();
  const known = cache.entries.get(id);
  if (known && known.untilMs > nowMs) return known.actor;
  cache.entries.delete(id);

  const row = await findValidKey(db, hash);
  if (!row) return undefined;
  const actor: Actor = {
    kind: row.kind,
    keyId: row.id,
    name: nameOf(row),
    // An agent or a job never inherits the power of whoever made its key.
    isAdmin: row.kind === 'user' && row.is_admin === true,
    ...(row.user_id === null ? {} : { userId: row.user_id }),
    ...(row.username === null ? {} : { username: row.username }),
    ...(row.entity_id === null ? {} : { entityId: row.entity_id }),
    ...(row.launch_id === null ? {} : { launchId: row.launch_id }),
    ...(row.queue_ids === null ? {} : { queueIds: row.queue_ids }),
    ...(row.home_entity_id === null || row.home_entity_name === null || row.kind !== 'user'
      ? {}
      : { homeEntity: { id: row.home_entity_id, name: row.home_entity_name } }),
  };
  if (cache.entries.size >= cacheEntries) cache.entries.clear();
  cache.entries.set(id, { actor, untilMs: Math.min(nowMs + cacheMs, row.expires_at?.getTime() ?? Infinity) });
  if ((cache.touchedMs.get(row.id) ?? row.last_used_at?.getTime() ?? 0) < nowMs - touchEveryMs) {
    if (cache.touchedMs.size >= cacheEntries) cache.touchedMs.clear();
    cache.touchedMs.set(row.id, nowMs);
    // Not waited for: a request must not be slower or fail for the sake of this note.
    touchKey(db, row.id).catch(() => cache.touchedMs.delete(row.id));
  }
  return actor;
}

/** A key was revoked in this process: it stops working at once here. */
export function forgetKey(db: Store, keyId: string): void {
  const cache = cacheOf(db);
  for (const [id, entry] of cache.entries) if (entry.actor.keyId === keyId) cache.entries.delete(id);
}

function cacheOf(db: Store): Cache {
  let cache = caches.get(db);
  if (!cache) caches.set(db, (cache = { entries: new Map(), touchedMs: new Map() }));
  return cache;
}

function nameOf(row: {
  kind: Actor['kind'];
  username: string | null;
  description: string;
  hint: string;
  launch_id: string | null;
}): string {
  switch (row.kind) {
    case 'user':
      return row.username ?? `key:${row.hint}`;
    case 'agent':
      return `agent:${row.description || row.hint}`;
    case 'run':
      return `run:${row.launch_id ?? row.hint}`;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
