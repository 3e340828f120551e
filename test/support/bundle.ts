import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = join(import.meta.dirname, '..', '..');

/** The workflow bundle of the sources as they are, made once per change. Kept beside node_modules so that all test processes share it. */
export async function testBundle(): Promise<string> {
  const hash = createHash('sha256');
  for (const part of ['workflows', 'domain', 'package-lock.json']) {
    const path = join(root, part);
    const files = part.includes('.')
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
          .sort();
    for (const file of files) hash.update(readFileSync(file));
  }
  const folder = join(root, 'node_modules', '.cache', 'davit-test');
  const file = join(folder, `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const quiet = {
    log: () => undefined,
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: console.error,
  };
  const { code } = await bundleWorkflowCode({ workflowsPath: join(root, 'workflows', 'index.ts'), logger: quiet });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, file);
  return file;
}
