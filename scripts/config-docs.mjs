// Writes docs/configuration.md from the schemas of the configuration.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './support.mjs';

await build();
const { configurationPage } = await import(pathToFileURL(join(root, 'dist/cli/config/document.js')).href);
writeFileSync(join(root, 'docs', 'configuration.md'), configurationPage());
