import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';

/** What was made ready for a job on this machine, for its submit. */
const schema = z.object({
  /** The Engine's id of the image: what was looked at is what runs, whatever becomes of its name. */
  imageId: z.string(),
  workingDir: z.string(),
  path: z.string().optional(),
  /** Volume with the packages of the job. */
  environmentVolume: z.string().optional(),
  /** The code is brought to the container. */
  hasCode: z.boolean(),
  /** The image was made of the code, which lies in its working folder. */
  isBuilt: z.boolean().default(false),
});
export type Prepared = z.infer<typeof schema>;

export class JobFolders {
  constructor(private readonly workFolder: string) {}

  private get root(): string {
    return join(this.workFolder, 'docker', 'jobs');
  }
  folder(name: string): string {
    return join(this.root, name);
  }
  code(name: string): string {
    return join(this.folder(name), 'code');
  }
  async make(name: string): Promise<string> {
    const folder = this.folder(name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
  async write(name: string, prepared: Prepared): Promise<void> {
    const file = join(await this.make(name), 'prepared.json');
    const draft = `${file}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, JSON.stringify(prepared), { mode: 0o600 });
    await rename(draft, file);
  }
  async read(name: string): Promise<Prepared | undefined> {
    try {
      return schema.parse(JSON.parse(await readFile(join(this.folder(name), 'prepared.json'), 'utf8')));
    } catch {
      return undefined;
    }
  }
  names(): Promise<string[]> {
    return readdir(this.root).catch(() => []);
  }
  /** 0: it is gone. */
  changedAtMs(name: string): Promise<number> {
    return stat(this.folder(name)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  }
  async remove(name: string): Promise<void> {
    await rm(this.folder(name), { recursive: true, force: true });
  }
}
