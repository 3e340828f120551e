import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorPages } from '../../cli/error-pages.js';
import { catalogue } from '../../domain/errors.js';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'errors');

test('every error code has its page, and every page its code', () => {
  const pages = errorPages();
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) expect(readFileSync(join(folder, name), 'utf8'), name).toBe(text);
});

test('every error says what happened and what to do in whole sentences', () => {
  expect(Object.keys(catalogue).length).toBeGreaterThan(20);
  for (const [code, entry] of Object.entries(catalogue)) {
    expect(code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
    expect(entry.title, code).toMatch(/^[A-Z`"].*\.$/s);
    expect(entry.fix, code).toMatch(/^[A-Z`"].*\.$/s);
  }
});
