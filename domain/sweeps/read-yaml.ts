import { isAlias, isMap, isScalar, isSeq, parseDocument, type Node } from 'yaml';
import { PyNumber, type Value, type ValueMap } from './value.js';

/** Nodes of one document, aliases counted each time: a few lines of YAML must not become gigabytes. */
const mostNodes = 200_000;

/**
 * YAML (and so JSON) as the client's Python reads it, YAML 1.1, but for two things: a number with an exponent needs no dot, since what a user
 * wrote as `1e-3` comes without one; and times of day and dates stay text. Throws `SyntaxError` with a sentence.
 */
export function readYaml(text: string): Value {
  const document = parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: true,
    logLevel: 'silent',
    maxAliasCount: -1,
  } as object);
  const problem = document.errors[0];
  if (problem) throw new SyntaxError(problem.message.split('\n')[0] ?? 'This is not YAML.');
  return valueOf(document.contents, { left: mostNodes, anchors: new Map() }, 0);
}

/** What is left of the budget, and the nodes that have a name so far: an alias stands for the last one before it. */
interface Walk {
  left: number;
  anchors: Map<string, Node>;
}

function valueOf(node: Node | null | undefined, walk: Walk, depth: number): Value {
  if (walk.left-- <= 0) throw new SyntaxError(`The document has more than ${mostNodes} values.`);
  if (depth > 100) throw new SyntaxError('The document is nested more than 100 deep.');
  if (node === null || node === undefined) return null;
  if (isAlias(node)) return valueOf(walk.anchors.get(node.source), walk, depth + 1);
  if ('anchor' in node && typeof node.anchor === 'string') walk.anchors.set(node.anchor, node);
  if (isSeq(node)) return node.items.map((item) => valueOf(item as Node | null, walk, depth + 1));
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }): [string, Value] => {
      if (!isScalar(key)) throw new SyntaxError('The keys of a map must be plain texts.');
      return [keyText(key.value), valueOf(value as Node | null, walk, depth + 1)];
    });
    return Object.fromEntries(entries) satisfies ValueMap;
  }
  if (!isScalar(node)) return null;
  const content = typeof node.value === 'string' ? node.value : '';
  if (node.type === 'PLAIN') return plainScalar(content);
  return content;
}

/** In this schema scalars are texts; a key left out is none. */
const keyText = (key: unknown): string => (typeof key === 'string' ? key : '');

const int = /^[-+]?(?:0|[1-9][0-9_]*)$/;
const float =
  /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+)$/;

function plainScalar(text: string): Value {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  if (int.test(text)) return PyNumber.int(wholeOf(text));
  if (/^[-+]?0x[0-9a-fA-F_]+$/.test(text) || /^[-+]?0b[01_]+$/.test(text)) return PyNumber.int(wholeOf(text));
  // A leading 0 is octal.
  if (/^[-+]?0[0-7_]+$/.test(text)) return PyNumber.int(wholeOf(text.replace(/^([-+]?)0/, '$10o')));
  if (float.test(text)) return PyNumber.float(Number(text.replace(/_/g, '')));
  if (/^\+?(?:\.(?:inf|Inf|INF)|Infinity)$/.test(text)) return PyNumber.float(Infinity);
  if (/^-(?:\.(?:inf|Inf|INF)|Infinity)$/.test(text)) return PyNumber.float(-Infinity);
  if (/^(?:\.(?:nan|NaN|NAN)|NaN)$/.test(text)) return PyNumber.float(NaN);
  return text;
}

function wholeOf(text: string): bigint {
  const digits = text.replace(/_/g, '');
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace(/^\+/, ''));
}
