import { minSecretBytes } from './secrets.js';
import { Needles } from './needles.js';

/**
 * Stars in place of secrets, one for each byte, so that offsets into a log stay what they are. Besides the values that are added, keys of this
 * API are known by their form: whoever adopts a job need not know the key that it was given.
 */
export class Masks {
  private readonly forms = new Set<string>();
  private needles: Needles | undefined;
  private isAll = false;

  /** From now on these are hidden, as they are and as they are usually written: line by line, quoted, in an address, in base64. */
  add(values: Iterable<string>): void {
    const before = this.forms.size;
    for (const value of values) for (const form of formsOf(value)) this.forms.add(form);
    if (this.forms.size > before) this.needles = new Needles([...this.forms].map((form) => Buffer.from(form)));
  }

  get hasSecrets(): boolean {
    return this.isAll || this.forms.size > 0;
  }

  /** For output of which nobody knows what it must not show: only its lines stay. */
  hideAll(): void {
    this.isAll = true;
  }

  text(text: string): string {
    const stream = this.stream();
    return Buffer.concat([stream.write(Buffer.from(text)), stream.end()]).toString();
  }

  /** For a text that comes in pieces. */
  stream(): MaskedStream {
    return new MaskedStream(() => (this.isAll ? 'all' : this.needles));
  }
}

const star = '*'.charCodeAt(0);
const newline = '\n'.charCodeAt(0);

/** What could be the beginning of a secret is held until it is clear what it is; so a piece never ends within one. */
export class MaskedStream {
  /** The end of what came: what is held, and before it what was let go and may still turn out to begin a key. */
  private tail: Uint8Array = new Uint8Array();
  private tailStars: Uint8Array = new Uint8Array();
  private letGo = 0;

  constructor(private readonly needles: () => Needles | 'all' | undefined) {}

  /** Bytes that came and were not yet let go. */
  get held(): number {
    return this.tail.length - this.letGo;
  }

  write(data: Uint8Array): Uint8Array {
    const input = this.tail.length === 0 ? data : Buffer.concat([this.tail, data]);
    const stars = new Uint8Array(input.length);
    stars.set(this.tailStars);
    const needles = this.needles();
    const begun = needles === 'all' ? markLines(input, stars) : (needles?.mark(input, stars) ?? 0);
    const key = markKeys(input, stars);
    // Nothing in the first letters of a key is secret, and much that is printed ends in one of them.
    const hold = Math.max(begun, key >= keyLetters.length ? key : 0);
    const context = Math.max(hold, key);
    const end = Math.max(this.letGo, input.length - hold);
    const out = covered(input, stars, this.letGo, end);
    this.tail = input.slice(input.length - context);
    this.tailStars = stars.slice(input.length - context);
    this.letGo = end - (input.length - context);
    return out;
  }

  /** Nothing more comes: what looked like a beginning was none. */
  end(): Uint8Array {
    const out = covered(this.tail, this.tailStars, this.letGo, this.tail.length);
    this.tail = this.tailStars = new Uint8Array();
    this.letGo = 0;
    return out;
  }
}

function covered(input: Uint8Array, stars: Uint8Array, from: number, to: number): Uint8Array {
  if (!stars.subarray(from, to).includes(1)) return input.subarray(from, to);
  return input.slice(from, to).map((byte, i) => (stars[from + i] === 1 ? star : byte));
}

function markLines(input: Uint8Array, stars: Uint8Array): number {
  for (let i = 0; i < input.length; i++) if (input[i] !== newline) stars[i] = 1;
  return 0;
}

const keyLetters = 'davit_';
const keyHeads = ['user', 'agent', 'run'].map((kind) => `${keyLetters}${kind}-`);
const keyPattern = /davit_(?:user|agent|run)-[0-9a-f]{40}/g;
const longestKey = 'davit_agent-'.length + 40;

/** Marks the keys in the text; answers how many bytes at its end could be the beginning of another. */
function markKeys(input: Uint8Array, stars: Uint8Array): number {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (bytes.includes(keyLetters))
    for (const { index, 0: key } of bytes.toString('latin1').matchAll(keyPattern))
      stars.fill(1, index, index + key.length);
  const tail = bytes.subarray(Math.max(0, bytes.length - longestKey + 1)).toString('latin1');
  for (let at = tail.indexOf('d'); at !== -1; at = tail.indexOf('d', at + 1))
    if (beginsKey(tail.slice(at))) return tail.length - at;
  return 0;
}

const beginsKey = (text: string): boolean =>
  keyHeads.some(
    (head) =>
      head.startsWith(text) ||
      (text.startsWith(head) && text.length < head.length + 40 && /^[0-9a-f]*$/.test(text.slice(head.length))),
  );

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  // In base64 the last letters depend on what follows: encoded with a line's end behind it, the rest stays.
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
  const forms = [
    value,
    ...value.split(/\r?\n/).map((line) => line.trim()),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    ...[bytes, whole].flatMap((part) => [part.toString('base64').replace(/=+$/, ''), part.toString('base64url')]),
  ];
  return forms.filter((form) => Buffer.byteLength(form) >= minSecretBytes);
}
