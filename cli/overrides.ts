import { parse as parseYaml } from 'yaml';
import { DavitError } from '../domain/errors.js';
import { readNamedFile } from './folder-job.js';

type Values = Record<string, unknown>;

/**
 * The config of a launch from a file and from `key=value` words, which go before the file. Values are JSON where they can be (numbers, true,
 * null, lists, objects, quoted text) and text otherwise; dots in a key reach into objects.
 */
export function configFrom(file: string | undefined, words: readonly string[] = []): Values | undefined {
  if (file === undefined && words.length === 0) return undefined;
  const config = file === undefined ? {} : readValues(file);
  for (const word of words) {
    const { name, value } = splitAssignment(word, '--config');
    place(config, name.split('.'), jsonOrText(value), word);
  }
  return config;
}

export function environmentFrom(words: readonly string[] = []): Record<string, string> | undefined {
  if (words.length === 0) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const { name, value } = splitAssignment(word, '--env');
      return [name, value];
    }),
  );
}

/** `VARIABLE=NAME` words: which secret a variable of the job is to hold. */
export function secretsFrom(words: readonly string[] = []): Record<string, string> | undefined {
  if (words.length === 0) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const { name, value } = splitAssignment(word, '--secret');
      return [name, value];
    }),
  );
}

/** A mapping from a JSON or YAML file. */
export function readValues(path: string): Values {
  let value: unknown;
  try {
    // JSON is YAML.
    value = parseYaml(readNamedFile(path));
  } catch (error) {
    if (error instanceof DavitError) throw error;
    throw new DavitError(
      'wrong-usage',
      `${path} is neither JSON nor YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
    );
  }
  if (isValues(value)) return value;
  throw new DavitError('wrong-usage', `${path} must hold a mapping of keys to values.`);
}

/** `path=file` words: what is laid over files of the program. */
export function filesFrom(words: readonly string[] | undefined): Record<string, Values> | undefined {
  if (words === undefined) return undefined;
  const files: Record<string, Values> = {};
  for (const word of words) {
    const { name, value } = splitAssignment(word, '--file');
    files[name] = { ...files[name], ...(value.startsWith('{') ? jsonValues(value, '--file') : readValues(value)) };
  }
  return files;
}

/** `name=value` words as they are. */
export function pairsFrom(words: readonly string[] | undefined, flag: string): Record<string, string> | undefined {
  if (words === undefined) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const { name, value } = splitAssignment(word, flag);
      return [name, value];
    }),
  );
}

/** What the wandb client calls the targets: its resource args are inside such a key. */
const wireNames = ['local-process', 'local-container', 'kubernetes', 'sagemaker', 'gcp-vertex', 'vertex'];

/** JSON text, or the name of a JSON or YAML file; with or without the key of the target that the wandb client puts around it. */
export function resourceArgsFrom(text: string | undefined): Values | undefined {
  if (text === undefined) return undefined;
  const values = text.trim().startsWith('{') ? jsonValues(text, '--resource-args') : readValues(text);
  const [key, ...others] = Object.keys(values);
  const inner = key === undefined ? undefined : values[key];
  return key !== undefined && others.length === 0 && wireNames.includes(key) && isValues(inner) ? inner : values;
}

function jsonValues(text: string, flag: string): Values {
  const value = jsonOrText(text);
  if (isValues(value)) return value;
  throw new DavitError('wrong-usage', `${flag}: "${text.slice(0, 60)}" is not a JSON object.`);
}

export function splitAssignment(word: string, flag: string): { name: string; value: string } {
  const at = word.indexOf('=');
  if (at > 0) return { name: word.slice(0, at), value: word.slice(at + 1) };
  throw new DavitError('wrong-usage', `${flag} takes key=value, not "${word}".`);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function place(into: Values, path: readonly string[], value: unknown, word: string): void {
  const [first = '', ...rest] = path;
  if (first === '' || first === '__proto__')
    throw new DavitError('wrong-usage', `"${word}" has no key that can be set.`);
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const inner = into[first];
  const next: Values = isValues(inner) ? inner : {};
  into[first] = next;
  place(next, rest, value, word);
}

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
