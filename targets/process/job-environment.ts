import { delimiter, join } from 'node:path';
import type { ProcessTargetConfig } from './config.js';

/** Credentials and settings of the agent: no pattern, however wide, lets them through. */
const neverInherited = /^(TEMPORAL|DAVIT|WANDB)_/;

export function inherited(
  host: Readonly<Record<string, string | undefined>>,
  patterns: readonly string[],
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    if (value === undefined || neverInherited.test(name)) continue;
    if (patterns.some((pattern) => matches(pattern, name))) chosen[name] = value;
  }
  return chosen;
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** Later ones win: the machine's, the job's, its secrets, and what makes its Python environment work. */
export function jobEnvironment(
  config: ProcessTargetConfig,
  ofJob: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
  environmentFolder: string | undefined,
): Record<string, string> {
  const environment: Record<string, string> = {
    ...inherited(config.hostEnvironment, config.inheritEnvironment),
    // Output that waits in a buffer is no help to who watches a run.
    PYTHONUNBUFFERED: '1',
    ...ofJob,
    ...secrets,
  };
  const path = environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  environment['PATH'] = environmentFolder === undefined ? path : join(environmentFolder, 'bin') + delimiter + path;
  if (environmentFolder !== undefined) environment['VIRTUAL_ENV'] = environmentFolder;
  return environment;
}

export function installerEnvironment(config: ProcessTargetConfig): Record<string, string> {
  const environment = inherited(config.hostEnvironment, [...config.inheritEnvironment, ...config.installerEnvironment]);
  // uv does not read pip's settings; where it has none of its own, the machine's are meant.
  for (const [uv, pip] of [
    ['UV_INDEX_URL', 'PIP_INDEX_URL'],
    ['UV_EXTRA_INDEX_URL', 'PIP_EXTRA_INDEX_URL'],
    ['UV_FIND_LINKS', 'PIP_FIND_LINKS'],
  ] as const) {
    const value = environment[pip];
    if (value !== undefined) environment[uv] ??= value;
  }
  return {
    ...environment,
    // No interpreter that nobody chose.
    UV_PYTHON_DOWNLOADS: 'never',
    UV_NO_PROGRESS: '1',
    // A second try builds over the first.
    UV_VENV_CLEAR: '1',
    PIP_NO_INPUT: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  };
}
