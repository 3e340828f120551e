import { isJsonObject, markTokens, unmarkTokens, type Json } from './extended-json.js';

/**
 * What several processes say about one run, joined: each sends its whole config and its whole summary, and none of them may wipe what another
 * one has said. The later word counts, key by key.
 */
export function joinConfigs(stored: string, given: string): string {
  return joined(stored, given, (before, after) => {
    const [own, new_] = [valueOf(before['_wandb']), valueOf(after['_wandb'])];
    if (!own || !new_) return { ...before, ...after };
    // Environments of all writers lie under `e`, by writer.
    const writers = { ...objectOf(own['e']), ...objectOf(new_['e']) };
    const value = { ...own, ...new_, ...(Object.keys(writers).length > 0 ? { e: writers } : {}) };
    return { ...before, ...after, _wandb: { value } };
  });
}

export const joinSummaries = (stored: string, given: string): string =>
  joined(stored, given, (before, after) => ({ ...before, ...after }));

/** The writer whose environment a config carries: only the one that leads sends it. */
export function leadsOf(config: string, client: string): boolean {
  const value = valueOf(parsed(config)?.['_wandb']);
  return value !== undefined && Object.hasOwn(objectOf(value['e']), client);
}

type Values = { [key: string]: Json };

function joined(stored: string, given: string, join: (before: Values, after: Values) => Values): string {
  const [before, after] = [parsed(stored), parsed(given)];
  if (!before || !after) return given;
  return unmarkTokens(JSON.stringify(join(before, after)));
}

function parsed(text: string): Values | undefined {
  try {
    const value = JSON.parse(markTokens(text)) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const valueOf = (entry: Json | undefined): Values | undefined =>
  isJsonObject(entry) && isJsonObject(entry['value']) ? entry['value'] : undefined;
const objectOf = (value: Json | undefined): Values => (isJsonObject(value) ? value : {});
