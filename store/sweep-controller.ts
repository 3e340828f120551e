import { isValueMap, type Value, type ValueMap } from '../domain/sweeps/value.js';
import { readYaml } from '../domain/sweeps/read-yaml.js';

/** The two texts by which a local controller (`controller: {type: local}`) and this server talk: it writes a schedule, we write what became runs. */

export interface Controller {
  /** `args` null: it has nothing more to try. */
  schedule: { id: string; args: ValueMap | null }[];
  /** Names of runs to stop. */
  earlyStop: string[];
}

export function readController(text: string | null): Controller {
  const controller = mapIn(text);
  const { schedule, earlystop } = controller;
  return {
    schedule: (Array.isArray(schedule) ? schedule : []).flatMap((entry) => {
      if (!isValueMap(entry) || typeof entry['id'] !== 'string' || !isValueMap(entry['data'])) return [];
      const { args } = entry['data'];
      return isValueMap(args) || args === null ? [{ id: entry['id'], args }] : [];
    }),
    earlyStop: (Array.isArray(earlystop) ? earlystop : []).filter((name: Value) => typeof name === 'string'),
  };
}

export function recordScheduled(text: string | null): { id: string; runid: string }[] {
  const { scheduled } = mapIn(text);
  return (Array.isArray(scheduled) ? scheduled : []).flatMap((entry) =>
    isValueMap(entry) && typeof entry['id'] === 'string' && typeof entry['runid'] === 'string'
      ? [{ id: entry['id'], runid: entry['runid'] }]
      : [],
  );
}

function mapIn(text: string | null): ValueMap {
  if (!text) return {};
  try {
    const value = readYaml(text);
    return isValueMap(value) ? value : {};
  } catch {
    return {};
  }
}
