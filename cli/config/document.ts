import { flagOfSetting, variablesOf } from './settings.js';
import type { Setting } from './settings.js';
import { settingsOf } from './variables.js';

const opening = `# Configuration

<!-- Made from the schemas in cli/config by \`node scripts/config-docs.mjs\`; a test compares. Change the schema, not this page. -->

Each process has settings of its own. A setting is taken from the first of these places that has it:

1. a flag of the command line: \`--port 9000\`,
2. the environment: \`DAVIT_PORT=9000\` (an empty variable counts as not set),
3. a YAML file, named by \`--config FILE\` or \`DAVIT_CONFIG\`: \`port: 9000\`; \`davit up\` also reads \`davit.yaml\` in its data folder,
4. the default.

A key or a \`DAVIT_\` variable that does not exist is refused by name, so that a misspelling cannot pass for a default. \`--check\` prints
the configuration without secrets, with the source of each value, and exits with 0, or with 2 when it is not valid. Every process but
\`davit up\` logs its configuration in the same form when it starts. Secrets have no flags, because command lines are public.

TLS to Temporal is set by the variables that all Temporal tools read (\`TEMPORAL_TLS\`, \`TEMPORAL_TLS_CLIENT_CERT_PATH\`, …). Temporal's own
configuration file counts only when \`TEMPORAL_CONFIG_FILE\` or \`TEMPORAL_PROFILE\` is set.
`;

const titles = {
  up: '`davit up`: everything on this machine',
  server: '`davit server`: the API',
  worker: '`davit worker`: the workflows',
  agent: '`davit agent`: runs jobs',
} as const;

/** docs/configuration.md, from the schemas. */
export function configurationPage(): string {
  const sections = (Object.keys(titles) as (keyof typeof titles)[]).map((name) => {
    const entries = Object.entries(settingsOf[name]).map(([key, one]) => entry(key, one));
    return `## ${titles[name]}\n\n${entries.join('\n')}`;
  });
  return `${[opening, ...sections].join('\n')}`;
}

function entry(key: string, one: Setting<unknown>): string {
  const names = [...(one.secret === 'yes' ? [] : [flagOfSetting(key, one)]), ...variablesOf(key, one)].map(
    (name) => `\`${name}\``,
  );
  return [
    `### \`${key}\``,
    '',
    `${one.description} ${one.reason}`,
    '',
    `- ${names.join(', ')}`,
    `- ${one.allowed[0]?.toUpperCase() ?? ''}${one.allowed.slice(1)}. ${defaultOf(one)}`,
    '',
  ].join('\n');
}

function defaultOf(one: Setting<unknown>): string {
  if (one.required) return 'Needed.';
  const shown = one.defaultText ?? (one.default === undefined ? undefined : `\`${textOf(one.default)}\``);
  return shown === undefined ? 'No default.' : `Default: ${shown}.`;
}

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
