import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launcher.js';
import { until } from './until.js';

/** What one launch of the job prints and waits for. */
export interface Counting {
  /** Numbered lines, one every 20 ms; every tenth also on stderr. */
  lines?: number;
  /** Then it waits until it is released. */
  hold?: boolean;
  /** More lines after that. */
  after?: number;
}

/**
 * A job that tells on us: it counts its own starts, numbers every line it prints, and notes when it is at work. Started twice, cut or doubled
 * in its log, or run beside too many others: each leaves a trace.
 */
export class CountingJob {
  private readonly wishes = new Map<string, Required<Counting>>();

  private constructor(
    private readonly launcher: Launcher,
    readonly folder: string,
    readonly job: string,
  ) {}

  static async make(launcher: Launcher, name = 'count', files: Record<string, string> = {}): Promise<CountingJob> {
    const folder = join(launcher.folder, name);
    for (const part of ['starts', 'go']) mkdirSync(join(folder, part), { recursive: true });
    const job = await launcher.job(name, 'sh run.sh', { 'run.sh': script(folder), ...files });
    return new CountingJob(launcher, folder, job);
  }

  async enqueue(
    queue: string,
    counting: Counting = {},
    over: Record<string, unknown> = {},
    key?: string,
  ): Promise<string> {
    const { lines = 20, hold = false, after = 0 } = counting;
    const args = [String(lines), hold ? 'hold' : 'go', String(after)];
    const id = await this.launcher.enqueue(queue, this.job, { ...over, overrides: { args } }, key);
    this.wishes.set(id, { lines, hold, after });
    return id;
  }

  /** One line for each start of a process for this launch: its process id. */
  starts(id: string): number[] {
    const file = join(this.folder, 'starts', id);
    return existsSync(file) ? linesOf(file).map(Number) : [];
  }

  /** Its process id, once it says that it is at work: a launch runs when its process is there, which is before the first line of the script. */
  async atWork(id: string): Promise<number> {
    await until(() => linesOf(join(this.folder, 'turns')).includes(`+ ${id}`), {
      what: `the job of ${id} to be at work`,
    });
    return this.starts(id)[0] ?? 0;
  }

  /** Has a process of this launch come to its own end? */
  ended(id: string): boolean {
    return linesOf(join(this.folder, 'turns')).includes(`- ${id}`);
  }

  /** Lets a launch that holds go on; without an id, all of them, also later ones. */
  release(id = 'all'): void {
    appendFileSync(join(this.folder, 'go', id), '');
  }

  /** The whole log that this launch must have in the end. */
  expectedLog(id: string): { stdout: string; stderr: string } {
    const { lines, after } = this.wishes.get(id) ?? { lines: 0, after: 0 };
    const numbers = Array.from({ length: lines + after }, (_, i) => i + 1);
    return {
      stdout: [...numbers.map((n) => `line ${n} of ${id}\n`), `end of ${id}\n`].join(''),
      stderr: numbers
        .filter((n) => n % 10 === 0)
        .map((n) => `note ${n}\n`)
        .join(''),
    };
  }

  /** How many of these launches were at work at the same time, at most. Right only for jobs that nobody killed. */
  mostAtOnce(ids: readonly string[]): number {
    let now = 0;
    let most = 0;
    for (const turn of linesOf(join(this.folder, 'turns'))) {
      const [sign, id = ''] = turn.split(' ');
      if (!ids.includes(id)) continue;
      now += sign === '+' ? 1 : -1;
      most = Math.max(most, now);
    }
    return most;
  }
}

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);

/** Appends of one short line each (O_APPEND) do not mix, whoever writes at the same time. */
const script = (folder: string): string => `
id=$DAVIT_LAUNCH_ID
echo $$ >>'${folder}/starts/'$id
echo "+ $id" >>'${folder}/turns'
i=0
count() {
  while [ $i -lt $1 ]; do
    i=$((i + 1))
    echo "line $i of $id"
    [ $((i % 10)) -ne 0 ] || echo "note $i" >&2
    sleep 0.02
  done
}
count $1
while [ $2 = hold ] && [ ! -e '${folder}/go/'$id ] && [ ! -e '${folder}/go/all' ]; do sleep 0.05; done
count $(($1 + $3))
echo "end of $id"
echo "- $id" >>'${folder}/turns'
`;
