import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { DavitError } from '../domain/errors.js';
import { maxSecretBytes } from '../domain/secrets.js';

/** A value that must not stand in a command line: from a file, from standard input, or typed without being seen. */
export async function secretFrom(file: string | undefined, question: string): Promise<string> {
  if (file !== undefined) return textOf(bytesOf(file), file);
  if (process.stdin.isTTY) return typed(question);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxSecretBytes + 2) throw tooLong();
    parts.push(part);
  }
  return textOf(Buffer.concat(parts), 'standard input').replace(/\r?\n$/, '');
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DavitError('wrong-usage', `${file} cannot be read: ${reason}`);
  }
}

function textOf(bytes: Buffer, source: string): string {
  if (bytes.length > maxSecretBytes + 2) throw tooLong();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DavitError('wrong-usage', `What ${source} holds is not UTF-8 text: encode it, with base64 for example.`);
  }
}

const tooLong = () => new DavitError('wrong-usage', `A secret has at most ${maxSecretBytes} bytes.`);

async function typed(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(question);
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  const left = new AbortController();
  reader.once('SIGINT', () => left.abort());
  try {
    return await reader.question('', { signal: left.signal });
  } catch {
    throw new DavitError('wrong-usage', 'No value was given; nothing was changed.');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
