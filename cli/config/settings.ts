import { z } from 'zod';
import type { Kind } from './kinds.js';

/** One setting of a process: what it may be, what it is when nobody says, and why. */
export interface Setting<T> extends Kind<T> {
  description: string;
  /** Why the default is what it is, or why the setting exists. */
  reason: string;
  /** undefined: there is no default. */
  default: T | undefined;
  /** Needed to start, and without a default. */
  required: boolean;
  /** Variables besides DAVIT_<KEY>, the usual names of other tools. */
  alsoEnv: readonly string[];
  /** `yes`: never printed, and no flag, because command lines are public. `url`: printed without its password. */
  secret: 'no' | 'yes' | 'url';
  /** Shown instead of the default where the default depends on the machine. */
  defaultText?: string;
}

interface Words {
  description: string;
  reason: string;
  alsoEnv?: readonly string[];
  secret?: 'yes' | 'url';
  defaultText?: string;
}

type Always<T> = Setting<T> & { present: true };

const make = <T>(kind: Kind<T>, words: Words, rest: { default: T | undefined; required: boolean }): Setting<T> => ({
  alsoEnv: [],
  ...kind,
  ...words,
  ...rest,
  secret: words.secret ?? 'no',
});

/** A setting with a default. */
export const setting = <T>(kind: Kind<T>, value: T, words: Words): Always<T> => ({
  ...make(kind, words, { default: value, required: false }),
  present: true,
});

/** A setting without which the process cannot start. */
export const required = <T>(kind: Kind<T>, words: Words): Always<T> => ({
  ...make(kind, words, { default: undefined, required: true }),
  present: true,
});

/** A setting that may be left out. */
export const optional = <T>(kind: Kind<T>, words: Words): Setting<T> =>
  make(kind, words, { default: undefined, required: false });

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a table of settings of any types; their own types come back in Values.
export type Settings = Record<string, Setting<any>>;

export type Values<S extends Settings> = {
  [K in keyof S as S[K] extends { present: true } ? K : never]: S[K] extends Setting<infer T> ? T : never;
} & {
  [K in keyof S as S[K] extends { present: true } ? never : K]?: S[K] extends Setting<infer T> ? T : never;
};

/** As commander names the option of a flag: a unit is one word there. */
export const optionOf = (key: string): string => key.replace(/MiB$/, 'Mib');
const wordsOf = (key: string): string[] =>
  optionOf(key)
    .split(/(?=[A-Z])/)
    .map((word) => word.toLowerCase());
export const variableOf = (key: string): string => `DAVIT_${wordsOf(key).join('_').toUpperCase()}`;
export const flagOf = (key: string): string => `--${wordsOf(key).join('-')}`;
export const flagOfSetting = (key: string, one: Setting<unknown>): string =>
  one.itemFlag === undefined ? flagOf(key) : `--${one.itemFlag}`;
export const variablesOf = (key: string, one: Setting<unknown>): string[] => [variableOf(key), ...one.alsoEnv];

/** The zod schema of a process: strict, so that a misspelt key is refused instead of ignored. */
export function schemaOf<S extends Settings>(settings: S): z.ZodType<Values<S>> {
  const shape = Object.entries(settings).map(([key, one]) => {
    const type = one.type as z.ZodType<unknown>;
    if (one.default !== undefined) return [key, type.default(one.default)] as const;
    return [key, one.required ? type : type.optional()] as const;
  });
  return z.strictObject(Object.fromEntries(shape)) as unknown as z.ZodType<Values<S>>;
}
