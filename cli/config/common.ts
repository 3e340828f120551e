import { choice, integer, list, path, text, url } from './kinds.js';
import { optional, setting } from './settings.js';

/** Settings that several processes share, so that one word means one thing everywhere. */

export const logLevel = setting(choice('debug', 'info', 'warn', 'error'), 'info', {
  description: 'How much the log says.',
  reason: 'info has one line for each thing that changed; debug also has what was looked at.',
});

export const logFormat = setting(choice('auto', 'json', 'text'), 'auto', {
  description: 'JSON lines for machines, or text for people.',
  reason: 'auto is text on a terminal and JSON everywhere else.',
});

export const postgresUrl = url(['postgres', 'postgresql'], 'postgresql://user:password@host:5432/davit');

export const temporal = {
  temporalAddress: setting(text('host:port', /^[^\s/]+:\d+$/), '127.0.0.1:7233', {
    description: 'The frontend of the Temporal server.',
    reason: "Temporal's own default port on this machine.",
    alsoEnv: ['TEMPORAL_ADDRESS'],
  }),
  temporalNamespace: setting(text('a namespace', /^\S+$/), 'default', {
    description: 'The Temporal namespace of this installation.',
    reason: 'The namespace that a new Temporal server has.',
    alsoEnv: ['TEMPORAL_NAMESPACE'],
  }),
  temporalApiKey: optional(text('a key'), {
    description: 'API key for Temporal Cloud. TLS is set by the TEMPORAL_TLS variables, as for all Temporal tools.',
    reason: 'A server of your own needs none.',
    alsoEnv: ['TEMPORAL_API_KEY'],
    secret: 'yes',
  }),
};

export const home = (description: string) =>
  optional(path(), {
    description,
    reason: 'One folder holds all state, so that it can be moved, kept and thrown away as one.',
    defaultText: '~/.davit',
  });

export const port = integer(1, 65_535);

/** A port for metrics alone; the API also has them at /metrics of its own port. */
export const metricsPort = optional(port, {
  description: 'A port that answers GET /metrics for Prometheus, and nothing else.',
  reason: 'Without it nothing more is listened on.',
  defaultText: 'none',
});

export const metricsHost = setting(text('a host name or address', /^[^\s/]+$/), '127.0.0.1', {
  description: 'The address on which `metricsPort` listens. Any other than loopback needs a `metricsToken`.',
  reason: 'Metrics name entities, queues and agents: who may reach the address is no proof of who may read them.',
});

export const metricsToken = optional(text('text of at least 16 characters', /^\S{16,}$/), {
  description: 'Whoever reads metrics sends it as `Authorization: Bearer TOKEN`. It opens nothing else.',
  reason: 'A scraper keeps its credentials in a file on another machine; a key of a person does not belong there.',
  secret: 'yes',
});

export const window = setting(integer(1, 10_000), 200, {
  description:
    'How many launches at the front of each line have a workflow while they wait. The same for API and worker.',
  reason: 'Enough to see and script what comes next in Temporal; an open workflow costs Temporal about 100 KiB.',
});

export const gitAllowed = setting(list('beginnings of addresses', /^(https?|ssh|git|file):\/\/\S+$/), [], {
  description:
    'Git repositories that may be read besides https://, ssh:// and user@host:path, by how their addresses begin: http://git.lan/, file:///srv/git/.',
  reason: 'Plain http and files of the machine are refused, since addresses come from whoever makes jobs.',
  defaultText: 'none',
});
