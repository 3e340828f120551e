import { availableParallelism, userInfo } from 'node:os';
import { boolean, path, slots, text } from './kinds.js';
import { gitAllowed, home, logLevel, port, postgresUrl } from './common.js';
import { agentSettings, nameOfHost } from './agent.js';
import { optional, setting } from './settings.js';

const name = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** What the person at this machine is called, in the letters that a name may have. */
export function nameOfUser(): string {
  let found = '';
  try {
    found = userInfo().username;
  } catch {
    // A container may run under a number that no account has.
  }
  const sane = found
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return sane === '' ? 'local' : sane;
}

/** `davit up`: everything on this machine, in one process tree. */
export const upSettings = {
  home: home('The data folder: database, files, keys, logs.'),
  port: optional(port, {
    description: 'The port of the API.',
    reason: 'Without it a free one is found, and kept for the next start.',
    defaultText: '8080 or the next free one',
  }),
  temporalPort: optional(port, {
    description: 'The port of the Temporal server.',
    reason: 'Without it a free one is found, and kept for the next start.',
    defaultText: '7233 or the next free one',
  }),
  temporalUiPort: optional(port, {
    description: "The port of Temporal's web pages.",
    reason: 'Without it a free one is found, and kept for the next start.',
    defaultText: '8233 or the next free one',
  }),
  postgresPort: optional(port, {
    description: 'The port of the database.',
    reason: 'Nobody needs to know it, so any free one is taken.',
    defaultText: 'any free one',
  }),
  databaseUrl: optional(postgresUrl, {
    description: 'A PostgreSQL database to use instead of an own one.',
    reason: 'Without it a PostgreSQL of its own runs in the data folder.',
    alsoEnv: ['DATABASE_URL'],
    secret: 'url',
  }),
  temporalAddress: optional(text('host:port', /^[^\s/]+:\d+$/), {
    description: 'A Temporal server to use instead of an own one.',
    reason: 'Without it a development server with a database file runs in the data folder.',
    alsoEnv: ['TEMPORAL_ADDRESS'],
  }),
  temporalNamespace: setting(text('a namespace', /^\S+$/), 'default', {
    description: 'The Temporal namespace.',
    reason: 'The namespace that a new Temporal server has.',
    alsoEnv: ['TEMPORAL_NAMESPACE'],
  }),
  temporalApiKey: optional(text('a key'), {
    description: 'API key of Temporal Cloud, with `temporalAddress`.',
    reason: 'The own server needs none.',
    alsoEnv: ['TEMPORAL_API_KEY'],
    secret: 'yes',
  }),
  entity: setting(text('a name', name), nameOfUser(), {
    description: 'The name of the first user and entity, made at the first start.',
    reason: 'Runs and queues show who they belong to.',
    defaultText: 'your user name',
  }),
  queue: setting(text('a name', name), 'default', {
    description: 'The queue that is made at the first start, for processes on this machine.',
    reason: '`davit launch` takes it when no other is named.',
  }),
  agentName: setting(text('a name', name), nameOfHost(), {
    description: 'The name of the agent.',
    reason: 'One agent a machine is the usual case.',
    defaultText: 'the name of the host',
  }),
  maxJobs: setting(slots(), Math.max(1, Math.floor(availableParallelism() / 2)), {
    description: 'How many jobs run at once; -1 is no limit.',
    reason: 'Half of the cores: training scripts use more than one, and somebody sits at this machine.',
    defaultText: 'half of the cores',
  }),
  agent: setting(boolean(), true, {
    description: 'Run an agent on this machine.',
    reason: 'Without one nothing is run here; launches wait for agents elsewhere.',
  }),
  environmentCacheFolder: optional(path(), {
    description: 'Where Python environments are kept, one for each set of requirements.',
    reason: 'They can be made again, so they lie with the caches.',
    defaultText: '~/.cache/davit/environments',
  }),
  gitAllowed,
  macros: agentSettings.macros,
  logLevel,
};
