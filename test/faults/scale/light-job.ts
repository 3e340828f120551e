import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from '../../support/launcher.js';

export interface JobTurn {
  sign: '+' | '-';
  launchId: string;
  /** Of the attempt: what is started twice under one name is doubled, under two names it is a rerun. */
  name: string;
}

/** As little as a job can do and still tell on us: it notes its start and its end, and says what must be in its log. */
export class LightJob {
  private constructor(
    private readonly folder: string,
    readonly job: string,
  ) {}

  static async make(launcher: Launcher, baseImage?: string): Promise<LightJob> {
    const folder = join(launcher.folder, 'light');
    mkdirSync(folder, { recursive: true });
    const job = await launcher.job(
      'light',
      'sh run.sh',
      { 'run.sh': script(folder) },
      baseImage === undefined ? {} : { baseImage },
    );
    return new LightJob(folder, job);
  }

  /** In the order in which they were written. */
  turns(): JobTurn[] {
    const file = join(this.folder, 'turns');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [sign = '', launchId = '', name = ''] = line.split(' ');
        return { sign: sign === '+' ? '+' : '-', launchId, name };
      });
  }

  /** Ends all launches of `hold`. */
  release(): void {
    appendFileSync(join(this.folder, 'go'), '');
  }

  static stdoutOf = (launchId: string): string => `begin of ${launchId}\nend of ${launchId}\n`;
  static stderrOf = (launchId: string): string => `note of ${launchId}\n`;
}

/** Appends of one short line each (O_APPEND) do not mix, whoever writes at the same time. `sleep` is a process, so only who must wait has one. */
const script = (folder: string): string => `
id=$DAVIT_LAUNCH_ID
echo "+ $id $DAVIT_JOB_NAME" >>'${folder}/turns'
echo "begin of $id"
case $1 in
0) ;;
hold) while [ ! -e '${folder}/go' ]; do sleep 0.3; done ;;
*) sleep $1 ;;
esac
echo "note of $id" >&2
echo "end of $id"
echo "- $id $DAVIT_JOB_NAME" >>'${folder}/turns'
`;
