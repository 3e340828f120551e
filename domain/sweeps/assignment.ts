import { isValueMap, type Value, type ValueMap } from './value.js';

/** A parameter set: what a run gets, nested as its author nested the parameters. */
export type Assignment = ValueMap;

/** Puts each value at its path. */
export function nested(chosen: readonly (readonly [readonly string[], Value])[]): Assignment {
  const assignment: Assignment = {};
  for (const [path, value] of chosen) {
    let at = assignment;
    for (const name of path.slice(0, -1)) {
      const below = Object.hasOwn(at, name) ? at[name] : undefined;
      const next = isValueMap(below) ? below : {};
      define(at, name, next);
      at = next;
    }
    define(at, path.at(-1) ?? '', value);
  }
  return assignment;
}

/** A parameter may be named `__proto__`, and is then a key like any other. */
const define = (map: ValueMap, key: string, value: Value): void =>
  void Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });

/** The value at a path; undefined when there is none. */
export function at(assignment: Assignment, path: readonly string[]): Value | undefined {
  let value: Value | undefined = assignment;
  for (const name of path) value = isValueMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

/** As commands to an agent have it: `{param: {value: v}}`. */
export const asArgs = (assignment: Assignment): ValueMap =>
  Object.fromEntries(Object.entries(assignment).map(([name, value]) => [name, { value }]));

/** The same read back, from a run's config (which has more in it) or from what a scheduler sent. */
export function fromArgs(config: ValueMap): Assignment {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name !== '_wandb')
      .map(([name, entry]): [string, Value] => [
        name,
        isValueMap(entry) && Object.hasOwn(entry, 'value') ? (entry['value'] ?? null) : entry,
      ]),
  );
}
