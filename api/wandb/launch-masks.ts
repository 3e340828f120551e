import { DavitError } from '../../domain/errors.js';
import { Masks } from '../../domain/masking.js';
import type { Keyring } from '../../store/keyring.js';
import { secretsGiven } from '../../store/launch-secrets.js';
import type { Store } from '../../store/open.js';

/** A value of 64 KiB takes a tenth of a second to be made findable, and a run sends its console every few seconds. */
const kept = new Map<string, { values: string; masks: Masks }>();
const mostKept = 200;

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
  const key = JSON.stringify(values);
  const known = kept.get(launchId);
  if (known?.values === key) return known.masks;
  kept.delete(launchId);
  if (values.length === 0) return masks;
  masks.add(values);
  const oldest = kept.keys().next().value;
  if (kept.size >= mostKept && oldest !== undefined) kept.delete(oldest);
  kept.set(launchId, { values: key, masks });
  return masks;
}
