import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { builderSettings } from './builders.js';
import { integer, labels, list, path, slots, text, url } from './kinds.js';
import { gitAllowed, logFormat, logLevel, metricsHost, metricsPort, metricsToken } from './common.js';
import { optional, required, setting } from './settings.js';

const name = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** What a host is called, in the letters that a name may have. */
export const nameOfHost = (): string =>
  hostname()
    .split('.')[0]
    ?.replace(/[^A-Za-z0-9_-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64) || 'agent';

const dataFolder = () => process.env['DAVIT_HOME'] || join(homedir(), '.davit');

/** `davit agent`: takes launches from queues and runs them here. It dials out only, and never sees the database. */
export const agentSettings = {
  url: setting(url(['http', 'https'], 'https://davit.example.org'), 'http://127.0.0.1:8080', {
    description: 'The address of the API.',
    reason: 'The default of `davit server` on the same machine.',
  }),
  agentKey: optional(text('an agent key', /^davit_agent-[0-9a-f]{40}$/), {
    description: "The agent's own key.",
    reason: 'An agent may do less than the person who runs it, so it has a key of its own.',
    secret: 'yes',
  }),
  agentKeyFile: optional(path(), {
    description: "A file that holds the agent's key, instead of `agentKey`.",
    reason: 'Mounted secrets are files.',
  }),
  entity: required(text('the name of an entity', name), {
    description: 'The entity whose queues are served.',
    reason: 'Queues belong to entities.',
  }),
  agentName: setting(text('a name', name), nameOfHost(), {
    description: 'The name of this agent, the same after each restart: by it the agent finds its jobs again.',
    reason: 'One agent a machine is the usual case.',
    defaultText: 'the name of the host',
  }),
  queues: setting(list('names of queues, or *', /^(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$/), ['*'], {
    description: 'The queues to take launches from; * is every queue of the entity whose target this agent has.',
    reason: 'A queue that is made later is served without starting anything anew.',
  }),
  maxJobs: setting(slots(), 1, {
    description: 'How many jobs run here at once; -1 is no limit.',
    reason: 'A training job expects the machine for itself.',
  }),
  labels: setting(
    labels(),
    {},
    {
      description: 'What this agent has: a launch that requires gpu=a100 is taken only by agents with that label.',
      reason: 'Launches that require nothing are taken by every agent, so an agent needs no labels.',
      defaultText: 'none',
    },
  ),
  quarantineAfter: setting(integer(0, 1000), 3, {
    description:
      'So many different launches must fail here in a row, through no fault of theirs, until the agent takes nothing more; 0 is never.',
    reason: 'One or two may be bad luck; a machine that is broken would eat a whole line.',
  }),
  workFolder: setting(path(), join(dataFolder(), 'work'), {
    description: 'Where jobs have their folders.',
    reason: 'It must outlive the agent: a restarted agent finds its running jobs there.',
    defaultText: '<home>/work',
  }),
  environmentCacheFolder: setting(path(), join(homedir(), '.cache', 'davit', 'environments'), {
    description: 'Where Python environments are kept, one for each set of requirements.',
    reason: 'They can be made again, so they lie with the caches and are shared by all agents of the user.',
    defaultText: '~/.cache/davit/environments',
  }),
  dockerEngine: optional(text('an address of a Docker Engine', /^(unix|tcp|https?|ssh):\/\/\S+$/), {
    description: 'Where the Docker Engine is that runs the jobs of docker queues.',
    reason:
      'Without it the agent looks where the docker command looks: DOCKER_HOST, the chosen context, the usual sockets.',
    defaultText: 'as for docker',
  }),
  dockerApiUrl: optional(url(['http', 'https'], 'http://server:8080'), {
    description: 'The address of the API as containers reach it.',
    reason: 'A container has a network of its own, where the API may have another name.',
    defaultText: 'as everybody else',
  }),
  dockerNetwork: optional(text('the name of a network', /^[A-Za-z0-9][A-Za-z0-9_.-]*$/), {
    description: 'The network of the Engine that containers are put into.',
    reason: 'An API that listens on 127.0.0.1 alone is reached in the network of the machine only.',
    defaultText: 'host when the API is on 127.0.0.1, else bridge',
  }),
  dockerVolumes: setting(
    list('volumes as /host/path:/container/path[:ro]', /^(\/[^:,]*|[A-Za-z0-9][A-Za-z0-9_.-]*):\/[^:,]*(:(ro|rw))?$/),
    [],
    {
      description: 'Folders of the machine, or volumes of the Engine, that every container gets.',
      reason: 'What a container may see of the machine is for its operator to say, not for a launch.',
      defaultText: 'none',
    },
  ),
  gitAllowed,
  macros: setting(list('names of environment variables', /^[A-Za-z_][A-Za-z0-9_]*$/), [], {
    description: 'Environment variables of the agent that stand in resource configs as ${NAME}.',
    reason: 'Whoever may write a resource config sees them, so no other variable of the agent is ever put in.',
    defaultText: 'none',
  }),
  ...builderSettings,
  codeCacheFolder: setting(path(), join(homedir(), '.cache', 'davit', 'code'), {
    description: 'Where the code of jobs is kept, so that a second launch fetches nothing.',
    reason: 'It can be fetched again, so it lies with the caches and is shared by all agents of the user.',
    defaultText: '~/.cache/davit/code',
  }),
  codeCacheMiB: setting(integer(0, 10_000_000), 10_240, {
    description: 'How much code is kept at most; what was not used for longest goes first, 0 keeps nothing.',
    reason: 'Code is small; checkouts and data that somebody put beside it are not.',
  }),
  heartbeatMs: optional(integer(500, 60_000), {
    description: 'How often the agent says that it lives.',
    reason: 'An agent that is silent for 15 seconds counts as lost.',
    defaultText: 'as the API says',
  }),
  temporalAddress: optional(text('host:port', /^[^\s/]+:\d+$/), {
    description: 'The frontend of Temporal, when it is another for this agent than the API says.',
    reason: 'The API tells agents where Temporal is.',
    alsoEnv: ['TEMPORAL_ADDRESS'],
  }),
  temporalNamespace: optional(text('a namespace', /^\S+$/), {
    description: 'The Temporal namespace, with `temporalAddress`.',
    reason: 'The API tells agents.',
    alsoEnv: ['TEMPORAL_NAMESPACE'],
  }),
  temporalApiKey: optional(text('a key'), {
    description: 'API key for Temporal Cloud, with `temporalAddress`.',
    reason: 'A server of your own needs none.',
    alsoEnv: ['TEMPORAL_API_KEY'],
    secret: 'yes',
  }),
  metricsPort,
  metricsHost,
  metricsToken,
  logLevel,
  logFormat,
};
