import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders with a small program each, for tests that launch them. */
export function jobFolders(): { make(files: Record<string, string>): string; remove(): void } {
  const folders: string[] = [];
  return {
    make(files) {
      const folder = mkdtempSync(join(tmpdir(), 'davit-job-'));
      folders.push(folder);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      return folder;
    },
    remove() {
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
