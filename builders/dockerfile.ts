import { defaultUserId } from './inputs.js';

/** The Dockerfile of a job that brings none of its own. Pure; a Dockerfile of the plain syntax, which no frontend image has to be pulled for. */
export interface DockerfileFacts {
  /** `name@digest` where it is known. */
  baseImage: string;
  platform: string | undefined;
  /** Python may be missing in the base and is added by its package manager. */
  addPython: boolean;
  userId: number | undefined;
  requirements: 'none' | 'listed' | 'pyproject';
  /** A line of the requirements points into the code, so the code must be there first. */
  needsCode: boolean;
  /** Variables that hold secrets while requirements are installed. */
  secrets: readonly string[];
}

export const home = '/home/davit';
export const codeFolder = `${home}/code`;
export const lockFile = '/opt/davit/requirements.lock';
const environment = '/opt/davit/python';

/** Where files of the build context lie. */
export const contextPaths = {
  code: 'code',
  requirements: 'davit/requirements.txt',
  dependencies: 'davit/dependencies.py',
} as const;

/** Marks the step, so that its failure is told as what it is. */
export const requirementsStep = 'davit-requirements';

export function generateDockerfile(facts: DockerfileFacts): string {
  const user = facts.userId ?? defaultUserId;
  const copyCode = `COPY --chown=${user}:0 ${contextPaths.code}/ ${codeFolder}/`;
  const install = facts.requirements === 'none' ? [] : installLines(facts, user);
  return [
    `FROM ${facts.platform === undefined ? '' : `--platform=${facts.platform} `}${facts.baseImage} AS job`,
    'USER root',
    ...(facts.addPython ? [addPython] : []),
    `RUN ${userLine(user)}`,
    `ENV HOME=${home} PYTHONUNBUFFERED=1`,
    `USER ${user}:0`,
    ...(facts.needsCode ? [copyCode, ...install] : [...install, copyCode]),
    `WORKDIR ${codeFolder}`,
    // The base's own entry point is not the job's.
    'ENTRYPOINT []',
    'CMD ["python"]',
    // A builder that has no images of its own to look into gets the list this way.
    ...(facts.requirements === 'none' ? [] : ['FROM scratch AS lock', `COPY --from=job ${lockFile} /`]),
    '',
  ].join('\n');
}

/** Programs ask for the name of their user; one without a line in passwd makes them fail. */
const userLine = (user: number): string =>
  [
    `mkdir -p ${codeFolder} /opt/davit`,
    `(grep -q '^[^:]*:[^:]*:${user}:' /etc/passwd || echo 'davit:x:${user}:0:davit:${home}:/bin/sh' >> /etc/passwd)`,
    `chown -R ${user}:0 ${home} /opt/davit`,
  ].join(' && ');

const addPython = [
  'RUN if ! command -v python3 >/dev/null; then',
  'apt-get update && apt-get install -y --no-install-recommends python3 python3-venv python3-pip && rm -rf /var/lib/apt/lists/*;',
  'fi;',
  'command -v python >/dev/null || ln -s "$(command -v python3)" /usr/local/bin/python',
].join(' ');

function installLines(facts: DockerfileFacts, user: number): string[] {
  const isProject = facts.requirements === 'pyproject';
  const from = isProject
    ? `${contextPaths.code}/pyproject.toml ${contextPaths.dependencies}`
    : contextPaths.requirements;
  const listed = facts.needsCode ? `${codeFolder}/.davit-requirements.txt` : '/opt/davit/requirements.txt';
  const pip = `${environment}/bin/python -m pip`;
  const mounts = [
    `--mount=type=cache,target=${home}/.cache/pip,uid=${user},gid=0`,
    ...facts.secrets.map(
      (name) => `--mount=type=secret,id=${name},uid=${user},mode=0400${secretTarget(name)},required=true`,
    ),
  ];
  const variables = facts.secrets
    .filter((name) => name !== 'NETRC')
    .map((name) => `export ${name}="$(cat /run/secrets/${name})" && `)
    .join('');
  const steps = [
    // The packages of the base (an accelerator's own PyTorch) are seen, and kept when they satisfy.
    `python3 -m venv --system-site-packages ${environment}`,
    ...(isProject
      ? [`${environment}/bin/python /opt/davit/dependencies.py /opt/davit/pyproject.toml > ${listed}`]
      : []),
    `${facts.needsCode ? `cd ${codeFolder} && ` : ''}${variables}${pip} install --progress-bar off --disable-pip-version-check -r ${listed}`,
    `${pip} freeze --all --disable-pip-version-check > ${lockFile}`,
  ];
  return [
    `COPY --chown=${user}:0 ${from} ${isProject ? '/opt/davit/' : listed}`,
    `RUN ${mounts.join(' ')} : ${requirementsStep} && ${steps.join(' && ')}`,
    `ENV VIRTUAL_ENV=${environment} PATH=${environment}/bin:$PATH`,
  ];
}

/** Tools look for logins in this file, whatever the variable says. */
const secretTarget = (name: string): string => (name === 'NETRC' ? `,target=${home}/.netrc` : '');

/** Prints what a pyproject.toml wants, for pip. */
export const dependenciesScript = `import sys
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
with open(sys.argv[1], "rb") as file:
    print("\\n".join(tomllib.load(file).get("project", {}).get("dependencies", [])))
`;
