import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createOnce, type JobFolder } from './layout.js';

/**
 * Every job has a keeper: a shell that waits for it and writes down how it ended, so that nobody else has to live that long. A shell,
 * because it costs 1 MB and is on every machine.
 *
 *   agent ──spawn, own session──► keeper ──setsid──► run: takes the marker, looks for the tombstone, execs ──► the job
 *
 * - The marker `started.G` is made by the very process that becomes the job, in one step together with its identity. Of any number of
 *   keepers one gets it; and whoever makes it first with the word `void` has settled that generation G never starts.
 * - The tombstone `kill` is looked for after the marker is there, and `kill` looks for the marker after the tombstone is there: one of the
 *   two sees the other.
 * - The job runs in the foreground of its keeper, not with `&`: a shell starts background programs with SIGINT ignored, and then the stop
 *   request of the wandb client (a simulated SIGINT) does nothing.
 * - Variables begin with `dv_`: the job's own variables are in this shell's environment, and a shell hands on what it assigns.
 * - What the shell cannot tell apart: exit status 137 and death by signal 9.
 */
const script = `#!/bin/sh
# Davit's keeper.
#   keep STATE GENERATION LIVE NAME FOLDER NICE PATH SETSID PROGRAM [ARGUMENT...]
#   run  STATE GENERATION LIVE NAME FOLDER NICE PATH KEEPER-PID KEEPER-TOKEN UMASK PROGRAM [ARGUMENT...]
dv_mode=$1 dv_state=$2 dv_generation=$3 dv_live=$4 dv_name=$5 dv_folder=$6 dv_nice=$7 dv_path=$8
shift 8

identify() {
  if [ -r /proc/$$/stat ]; then
    read -r dv_stat </proc/$$/stat
    dv_boot=
    read -r dv_boot </proc/sys/kernel/random/boot_id
    set -- \${dv_stat##*) }
    dv_token=$dv_boot:\${20}
  else
    dv_token=$(LC_ALL=C TZ=UTC ps -o lstart= -p $$ | sed -e 's/^ *//' -e 's/ *$//' -e 's/  */_/g')
  fi
}
identify

case $dv_mode in
keep)
  dv_setsid=$1
  shift
  dv_umask=$(umask)
  umask 077
  trap : HUP INT QUIT TERM
  set -- /bin/sh "$0" run "$dv_state" "$dv_generation" "$dv_live" "$dv_name" "$dv_folder" "$dv_nice" "$dv_path" \\
    $$ "$dv_token" "$dv_umask" "$@"
  case $dv_setsid in
  */perl) set -- "$dv_setsid" -MPOSIX -e 'POSIX::setsid(); exec { $ARGV[0] } @ARGV' -- "$@" ;;
  *) set -- "$dv_setsid" "$@" ;;
  esac
  "$@"
  dv_code=$?
  dv_owner=
  { read -r dv_job && read -r dv_owner; } 2>/dev/null <"$dv_state/started.$dv_generation"
  [ "$dv_owner" = "$$ $dv_token" ] || exit 0
  dv_tries=0
  until printf '%s\\n' "$dv_code" >"$dv_state/exit.$$.tmp" &&
    { sync "$dv_state/exit.$$.tmp" 2>/dev/null || :; } &&
    { ln "$dv_state/exit.$$.tmp" "$dv_state/exit" || [ -e "$dv_state/exit" ]; }; do
    # A full disk: the outcome is worth waiting for.
    dv_tries=$((dv_tries + 1))
    [ $dv_tries -lt 720 ] || exit 1
    sleep 5
  done
  rm -f "$dv_state/exit.$$.tmp" "$dv_live"
  ;;
run)
  dv_keeper="$1 $2" dv_umask=$3
  shift 3
  umask 077
  # Here, not in the keeper, which would write "Killed" among the job's last words.
  exec 4>&2 </dev/null >>"$dv_state/../stdout" 2>>"$dv_state/../stderr"
  printf '%s\\n%s\\n' "$$ $dv_token" "$dv_keeper" 2>&4 >"$dv_state/marker.$$.tmp" &&
    ln "$dv_state/marker.$$.tmp" "$dv_state/started.$dv_generation" 2>&4
  dv_won=$?
  rm -f "$dv_state/marker.$$.tmp"
  [ $dv_won = 0 ] || exit 125
  if [ -e "$dv_state/kill" ]; then
    : >"$dv_state/killed"
    exit 143
  fi
  umask "$dv_umask"
  cd -- "$dv_folder" || exit 126
  unset OLDPWD
  if [ "$dv_nice" != 0 ]; then
    dv_nicer=$(command -v nice) && set -- "$dv_nicer" -n "$dv_nice" "$@"
  fi
  # The agent may be dead: then writing to it must not kill this process.
  (trap '' PIPE; echo >&3) 2>/dev/null
  DAVIT_JOB_NAME=$dv_name PATH=$dv_path
  export DAVIT_JOB_NAME PATH
  exec "$@" 3>&- 4>&-
  ;;
esac
`;

const scriptHash = createHash('sha256').update(script).digest('hex').slice(0, 12);

/** What marks every process of a job, on Linux, however it was started. */
export const jobMarker = (name: string): string => `DAVIT_JOB_NAME=${name}`;

export interface KeeperStart {
  folder: JobFolder;
  name: string;
  generation: number;
  /** Absolute; where the job starts. */
  workingFolder: string;
  nice: number;
  /** Absolute program and its arguments. */
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  hostPath: string;
}

/**
 * Starts a keeper and waits until it has started the job or given up; which of the two, the marker says. Secrets travel in the
 * environment of the new process, never in a file or on a command line. Returns the keeper's process number.
 */
export async function startKeeper(workFolder: string, start: KeeperStart): Promise<number> {
  const tools = toolPath(start.hostPath);
  const setsid = (await findProgram('setsid', tools)) ?? (await findProgram('perl', tools));
  if (!setsid) throw new Error('neither setsid nor perl was found, and one of them must begin the session of the job');
  // Named by its content: a running shell reads its script bit by bit, so the file may never change.
  const scriptFile = join(workFolder, `keeper-${scriptHash}.sh`);
  await ensureScript(scriptFile);
  const log = await open(start.folder.keeperLog, 'a', 0o600);
  try {
    const child = spawn(
      '/bin/sh',
      [
        scriptFile,
        'keep',
        start.folder.state,
        String(start.generation),
        start.folder.live,
        start.name,
        start.workingFolder,
        String(start.nice),
        start.environment['PATH'] ?? tools,
        setsid,
        ...start.command,
      ],
      {
        // Of its own session: a signal to the agent's group, and the agent's death, pass it by.
        detached: true,
        cwd: '/',
        env: { ...start.environment, PATH: tools },
        stdio: ['ignore', 'ignore', log.fd, 'pipe'],
      },
    );
    child.unref();
    const ready = child.stdio[3];
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      ready?.once('error', () => resolve());
      ready?.once('close', () => resolve());
      ready?.once('data', () => resolve());
    });
    ready?.destroy();
    return child.pid ?? 0;
  } finally {
    await log.close();
  }
}

async function ensureScript(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch {
    await createOnce(file, script);
  }
}

/** The keeper's own tools do not come from the job's PATH. */
export const toolPath = (hostPath: string): string => `/usr/bin:/bin:/usr/sbin:/sbin${delimiter}${hostPath}`;

export async function findProgram(program: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    const file = join(folder, program);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
