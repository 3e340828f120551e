import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { davitProgram, execute, repository, type DavitUp, type Ran } from './davit-up.js';
import { until } from './until.js';

interface Typing {
  /** What stands in the page for something of the reader's own → what the test has in its place. */
  instead?: Record<string, string>;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}

interface Begun {
  /** Resolves when it has said these words. */
  said(words: string): Promise<void>;
  end(): Promise<void>;
}

/** The commands of a page of docs/, each block behind a `<!-- test: NAME -->`, and a shell that types them as they stand there. */
export class DocPage {
  readonly #blocks = new Map<string, string>();
  readonly #left: Set<string>;
  /** Where the reader is: a folder with a copy of examples/, as in a clone. */
  readonly folder = mkdtempSync(join(tmpdir(), 'davit-page-'));

  constructor(readonly name: string) {
    const text = readFileSync(join(repository, 'docs', `${name}.md`), 'utf8');
    for (const [, marker, block = ''] of text.matchAll(/(?:<!-- test: ([a-z-]+) -->\s+)?^```sh\n([\s\S]*?)^```/gm)) {
      if (marker === undefined) throw new Error(`docs/${name}.md has commands that no test runs:\n${block}`);
      this.#blocks.set(marker, block);
    }
    this.#left = new Set(this.#blocks.keys());
    cpSync(join(repository, 'examples'), join(this.folder, 'examples'), { recursive: true });
  }

  /** The block with the names of the test in it. */
  block(name: string, instead: Record<string, string> = {}): string {
    let text = this.#blocks.get(name);
    if (text === undefined) throw new Error(`docs/${this.name}.md has no block "${name}"`);
    this.#left.delete(name);
    for (const [theirs, ours] of Object.entries(instead)) {
      if (!text.includes(theirs)) throw new Error(`the block "${name}" of docs/${this.name}.md has no ${theirs}`);
      text = text.replaceAll(theirs, ours);
    }
    return text;
  }

  /** Runs the block in a shell that ends with the first command that fails. */
  typed(name: string, up: DavitUp, { instead, env, timeoutMs = 280_000 }: Typing = {}): Promise<Ran> {
    return execute('bash', ['-e', '-c', `${davitFunction}${this.block(name, instead)}`], {
      env: { ...up.environment(), ...env },
      cwd: this.folder,
      timeoutMs,
    });
  }

  /** The same for a block that goes on until somebody ends it. */
  begun(name: string, up: DavitUp, { instead, env }: Typing = {}): Begun {
    const child = spawn('bash', ['-e', '-c', `${davitFunction}${this.block(name, instead)}`], {
      env: { ...up.environment(), ...env },
      cwd: this.folder,
      // A group of its own: what the shell has started is ended with it, as by Ctrl+C.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    return {
      said: (words) =>
        until(() => child.exitCode !== null || output.includes(words), { what: `"${words}" of ${name}` }).then(() => {
          if (!output.includes(words))
            throw new Error(`the commands of "${name}" ended without "${words}":\n${output}`);
        }),
      async end() {
        if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
          process.kill(-child.pid, 'SIGINT');
        await ended;
      },
    };
  }

  /** Blocks that nobody has asked for. */
  get left(): string[] {
    return [...this.#left];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The program is called `davit` in the pages, wherever it lies here. */
const davitFunction = `davit() { '${process.execPath}' '${davitProgram}' "$@"; }\n`;
