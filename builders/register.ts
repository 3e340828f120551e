import { DavitError, LaunchError } from '../domain/errors.js';
import { parseImageReference } from '../domain/image-reference.js';
import { findEngine } from '../targets/docker/address.js';
import { Engine } from '../targets/docker/engine.js';
import type { Builder, BuilderName } from './builder.js';
import { createBuildkitBuilder } from './buildkit/index.js';
import { createDockerBuilder } from './docker/index.js';
import { createNoBuilder } from './none/index.js';
import { azureLogins } from './registries/azure.js';
import { dockerConfigFile, dockerConfigLogins } from './registries/docker-config.js';
import { ecrLogins } from './registries/ecr.js';
import { googleLogins } from './registries/google.js';
import { firstOf, registryHost, type LoginSource } from './registries/login.js';
import { secretLogins } from './registries/secret-logins.js';

export interface BuilderSettings {
  /** The one that is used when a launch names none. */
  builder: BuilderName;
  /** `host/path` that images are pushed to. */
  destination?: string | undefined;
  platform?: string | undefined;
  cacheFrom?: readonly string[] | undefined;
  cacheTo?: string | undefined;
  /** Address of a Docker Engine; default: as its own command finds it. */
  engine?: string | undefined;
  /** Address of a BuildKit daemon. */
  buildkit?: string | undefined;
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for the daemon. */
  buildkitTlsFolder?: string | undefined;
  /** Host of a registry → name of the secret that holds a login for it. */
  registrySecrets?: Readonly<Record<string, string>> | undefined;
  /** Variable → name of the secret that it holds while requirements are installed. */
  buildSecrets?: Readonly<Record<string, string>> | undefined;
  /** Hosts that speak plain HTTP. */
  plainRegistries?: readonly string[] | undefined;
  /** Of the agent: where helpers and clouds find their own logins. */
  hostEnvironment: Readonly<Record<string, string | undefined>>;
}

/** The builders of one agent, and what opens registries for it. */
export interface Builders {
  /** By the wish of a launch; without one, the agent's own. */
  of(wish: string | undefined): Builder;
  logins: LoginSource;
  /** Variable → name of the secret that every build gets. */
  secrets: Readonly<Record<string, string>>;
}

export function openBuilders(settings: BuilderSettings): Builders {
  const { hostEnvironment } = settings;
  const secrets = Object.entries(settings.registrySecrets ?? {}).map(
    ([host, name]) => [registryHost(host), name] as const,
  );
  const logins = firstOf([
    secretLogins(Object.fromEntries(secrets)),
    // What somebody has logged in to by hand comes before what the machine itself may do.
    dockerConfigLogins({ file: dockerConfigFile(hostEnvironment), environment: hostEnvironment }),
    ecrLogins(),
    googleLogins(hostEnvironment),
    azureLogins({ environment: hostEnvironment }),
  ]);
  const opened = new Map<string, Builder>();
  return {
    logins,
    secrets: settings.buildSecrets ?? {},
    of(wish) {
      const name = wish ?? settings.builder;
      const builder = opened.get(name) ?? openBuilder(name, settings, logins);
      opened.set(name, builder);
      return builder;
    },
  };
}

function openBuilder(name: string, settings: BuilderSettings, logins: LoginSource): Builder {
  const { platform, cacheFrom, cacheTo, plainRegistries } = settings;
  const destination = settings.destination === undefined ? undefined : requireDestination(settings.destination);
  const common = { platform, cacheFrom, cacheTo, plainRegistries, logins };
  switch (name) {
    case 'none':
      return createNoBuilder();
    case 'docker': {
      const engine = new Engine(findEngine(settings.engine, settings.hostEnvironment));
      return createDockerBuilder({ ...common, engine, destination });
    }
    case 'buildkit':
      if (settings.buildkit === undefined || destination === undefined)
        throw missing(
          'The builder "buildkit" takes the address of a daemon (buildkitAddress) and a place to push to (builderDestination).',
        );
      return createBuildkitBuilder({
        ...common,
        destination,
        address: { url: settings.buildkit, tlsFolder: settings.buildkitTlsFolder },
      });
    default:
      throw missing(`This agent has no builder "${name.slice(0, 64)}"; it has docker, buildkit and none.`);
  }
}

const missing = (message: string): LaunchError => new LaunchError('builder-missing', 'prepare', message);

function requireDestination(destination: string): string {
  const image = parseImageReference(destination);
  if (
    image?.tag === undefined &&
    image?.digest === undefined &&
    image !== undefined &&
    destination.startsWith(`${image.host}/`)
  )
    return destination;
  throw new DavitError(
    'invalid-configuration',
    `builderDestination must be host/path of a registry, without a tag; it is "${destination}".`,
  );
}
