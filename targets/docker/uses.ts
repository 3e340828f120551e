import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const schema = z.record(z.string(), z.number());

/** Name → when this agent last used it, milliseconds since 1970; in a file, for the time after a restart. */
export class Uses {
  private change: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: string) {}

  async all(): Promise<Record<string, number>> {
    try {
      return schema.parse(JSON.parse(await readFile(this.file, 'utf8')));
    } catch {
      return {};
    }
  }

  async changed(change: (uses: Record<string, number>) => void): Promise<void> {
    this.change = this.change.then(async () => {
      const uses = await this.all();
      const before = JSON.stringify(uses);
      change(uses);
      if (JSON.stringify(uses) === before) return;
      const draft = `${this.file}.${randomBytes(4).toString('hex')}`;
      await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
      await writeFile(draft, JSON.stringify(uses), { mode: 0o600 });
      await rename(draft, this.file);
    });
    const done = this.change;
    this.change = done.catch(() => undefined);
    await done;
  }

  forget(name: string): Promise<void> {
    return this.changed((uses) => {
      delete uses[name];
    });
  }
}
