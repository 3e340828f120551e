import { DavitError } from '../../domain/errors.js';
import { Masks } from '../../domain/masking.js';
import type { Keyring } from '../../store/keyring.js';
import { secretsGiven } from '../../store/launch-secrets.js';
import type { Store } from '../../store/open.js';

/**
 * A value of 64 KiB takes a tenth of a second to be made findable, and a run sends its console every few seconds. And what a program left to send
 * may come in the moment after its launch has ended, when nothing is kept of what the launch was given.
 */
const kept = new Map<string, { values: string; masks: Masks; atMs: number }>();
const keptMs = 10 * 60_000;

/** What the console of a launch's run must not show. Asked each time: a later attempt may have been given something else. */
export async function launchMasks(db: Store, keyring: Keyring | undefined, launchId: string): Promise<Masks> {
  const masks = new Masks();
  let values: string[];
  try {
    values = await secretsGiven(db, keyring, launchId);
  } catch (error) {
    // A refusal would end the run's stream for good. What cannot be masked is not shown.
    if (!(error instanceof DavitError)) throw error;
    masks.hideAll();
    return masks;
  }
  const nowMs = Date.now();
  for (const [id, { atMs }] of kept) if (atMs + keptMs < nowMs) kept.delete(id);
  const key = JSON.stringify(values);
  const known = kept.get(launchId);
  if (known !== undefined && values.length > 0) known.atMs = nowMs;
  if (known !== undefined && (values.length === 0 || known.values === key)) return known.masks;
  if (values.length === 0) return masks;
  masks.add(values);
  kept.set(launchId, { values: key, masks, atMs: nowMs });
  return masks;
}
