// Writes docs/errors/<code>.md, a page for each code of the catalogue, and their index. A test keeps pages and catalogue in step.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './support.mjs';

await build();
const { errorPages } = await import(pathToFileURL(join(root, 'dist/cli/error-pages.js')).href);
const folder = join(root, 'docs', 'errors');
mkdirSync(folder, { recursive: true });
const pages = errorPages();
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name));
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
