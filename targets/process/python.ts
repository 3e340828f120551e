import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findProgram } from './keeper.js';

const run = promisify(execFile);

/** An interpreter that answered. */
const pythonSchema = z.object({
  executable: z.string().min(1),
  /** `3.11.7` */
  version: z.string(),
  implementation: z.string(),
  /** Whose standard library it uses: two interpreters of one version are two. */
  basePrefix: z.string(),
  platform: z.string(),
  /** False where a distribution keeps venv in a package of its own. */
  canMakeVenv: z.boolean(),
});
export type Python = z.infer<typeof pythonSchema>;

const probe = `
import json, sys, platform, sysconfig
try:
    import venv, ensurepip
    can = True
except ImportError:
    can = False
print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "implementation": platform.python_implementation(),
    "basePrefix": sys.base_prefix, "platform": sysconfig.get_platform(), "canMakeVenv": can}))
`;

const isPython3 = (python: Python): boolean => python.version.startsWith('3.');
const minorOf = (python: Python): string => python.version.split('.').slice(0, 2).join('.');

export class Pythons {
  /** A probe takes 30-100 ms; what a program answered holds for a while. */
  private readonly answers = new Map<string, { python: Python | undefined; atMs: number }>();

  constructor(
    private readonly programs: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** The wished one, else the first that works; `undefined` when there is none. */
  async find(wishedMinor: string | undefined): Promise<Python | undefined> {
    const wished = wishedMinor === undefined ? [] : [`python${wishedMinor}`];
    let other: Python | undefined;
    for (const program of [...wished, ...this.programs]) {
      const python = await this.ask(program);
      if (!python || !isPython3(python)) continue;
      if (wishedMinor === undefined || minorOf(python) === wishedMinor) return python;
      other ??= python;
    }
    return other;
  }

  /** What `find` tries, for the sentence that says it found nothing. */
  tried(wishedMinor: string | undefined): string {
    return [...(wishedMinor === undefined ? [] : [`python${wishedMinor}`]), ...this.programs].join(', ');
  }

  private async ask(program: string): Promise<Python | undefined> {
    const known = this.answers.get(program);
    const lastsMs = known?.python ? 60_000 : 5_000;
    if (known && Date.now() - known.atMs < lastsMs) return known.python;
    const python = await this.probe(program);
    this.answers.set(program, { python, atMs: Date.now() });
    return python;
  }

  private async probe(program: string): Promise<Python | undefined> {
    const file = program.includes('/') ? program : await findProgram(program, this.environment['PATH'] ?? delimiter);
    if (file === undefined) return undefined;
    try {
      const { stdout } = await run(file, ['-c', probe], {
        env: { ...this.environment },
        timeout: 30_000,
        encoding: 'utf8',
      });
      return pythonSchema.parse(JSON.parse(stdout.trim().split('\n').pop() ?? ''));
    } catch {
      return undefined; // a shim without an interpreter behind it, a broken installation, something else of that name
    }
  }
}
