import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The folder of the package, whether this runs from the sources or from dist/. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export const version: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'))).version;
