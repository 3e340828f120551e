import { isJsonObject, markTokens, unmarkTokens, type Json } from './extended-json.js';
import { numberOf } from './metric-stats.js';

/**
 * The summary of a run whose client leaves it to the server: the last value of each metric, or what `define_metric` asked for instead. Nested
 * values are laid over each other, as the client does it.
 */

type Values = Record<string, Json>;
type Aim = 'min' | 'max' | 'none';

/** As the client numbers them in `config._wandb.m`: name 1, name with globs 2, summary 7 { min 1, max 2, none 6 }. */
const aims: Record<string, Aim> = { '1': 'min', '2': 'max', '6': 'none' };

/** The summary text after more lines of history. */
export function deriveSummary(stored: string, config: string, lines: readonly string[]): string {
  if (lines.length === 0) return stored;
  const defined = definedAims(objectIn(config));
  let summary = objectIn(stored);
  for (const line of lines) summary = summaryAfter(summary, objectIn(line), defined);
  return unmarkTokens(JSON.stringify(summary));
}

/** What is broken or something else says nothing. */
function objectIn(text: string): Values {
  try {
    const value = JSON.parse(markTokens(text)) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** What `define_metric` asked for, by metric. Other kinds of summary are kept as last values. */
export function definedAims(config: Values): Map<string, Aim[]> {
  const wandb = config['_wandb'];
  const value = isJsonObject(wandb) ? wandb['value'] : undefined;
  const metrics = isJsonObject(value) && Array.isArray(value['m']) ? value['m'] : [];
  const found = new Map<string, Aim[]>();
  for (const metric of metrics) {
    if (!isJsonObject(metric) || typeof metric['1'] !== 'string' || !Array.isArray(metric['7'])) continue;
    const wanted = metric['7'].flatMap((kind) => (typeof kind === 'number' ? (aims[String(kind)] ?? []) : []));
    if (wanted.length > 0) found.set(metric['1'].replaceAll('\\.', '.'), wanted);
  }
  return found;
}

/** The summary after one more line. Changes nothing that it is given. */
export function summaryAfter(summary: Values, line: Values, defined: ReadonlyMap<string, Aim[]>, prefix = ''): Values {
  const next = { ...summary };
  for (const [key, value] of Object.entries(line)) {
    const before = Object.hasOwn(summary, key) ? summary[key] : undefined;
    const wanted = defined.get(prefix + key);
    if (wanted) {
      if (!wanted.includes('none')) next[key] = aimed(before, value, wanted);
    } else if (isJsonObject(value) && !('_type' in value))
      next[key] = summaryAfter(isJsonObject(before) ? before : {}, value, defined, `${prefix}${key}.`);
    else next[key] = value;
  }
  return next;
}

function aimed(before: Json | undefined, value: Json, wanted: readonly Aim[]): Json {
  const number = numberOf(value);
  const known = isJsonObject(before) ? before : {};
  if (number === undefined || Number.isNaN(number)) return before ?? null;
  const best = (aim: 'min' | 'max'): Json => {
    const old = numberOf(known[aim]);
    return old !== undefined && (aim === 'min' ? old <= number : old >= number) ? (known[aim] ?? value) : value;
  };
  return {
    ...known,
    ...(wanted.includes('min') ? { min: best('min') } : {}),
    ...(wanted.includes('max') ? { max: best('max') } : {}),
  };
}
