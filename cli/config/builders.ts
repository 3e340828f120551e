import { openBuilders, type Builders } from '../../builders/register.js';
import { choice, list, path, text } from './kinds.js';
import { optional, setting, type Values } from './settings.js';

const image = 'an image such as registry.example.org/team/cache:main';
const host = '[A-Za-z0-9.-]+(?::\\d+)?';

/** How an agent makes images of code, and what opens registries for it. */
export const builderSettings = {
  builder: setting(choice('docker', 'buildkit', 'none'), 'docker', {
    description: 'What makes images of code for docker queues; none runs code on base images only.',
    reason: 'An agent that runs containers has an Engine, and an Engine builds.',
  }),
  builderDestination: optional(
    text('a repository such as registry.example.org/team/jobs', /^[^\s:/]+(:\d+)?\/[^\s:@]+$/),
    {
      description: 'Where images are pushed to, as host/path without a tag.',
      reason: 'Without it they stay in the Engine that built them, which is enough for one machine.',
    },
  ),
  builderPlatform: optional(text('a platform such as linux/amd64', /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/), {
    description: 'What images are built for.',
    reason: 'Where jobs run may be another architecture than where they are built.',
    defaultText: "the builder's own",
  }),
  builderCacheFrom: setting(list(image, /^\S+$/), [], {
    description: 'Images whose layers may be used again, besides what the builder has itself.',
    reason: 'A new machine, or one that comes and goes, has nothing of its own.',
    defaultText: 'none',
  }),
  builderCacheTo: optional(text(image, /^\S+$/), {
    description: 'Where layers are pushed to for builders elsewhere; it is looked at like builderCacheFrom, too.',
    reason: 'It costs a push with each build.',
  }),
  buildkitAddress: optional(text('an address such as tcp://buildkit:1234', /^(unix|tcp):\/\/\S+$/), {
    description: 'Where the BuildKit daemon is, for builder buildkit.',
    reason: 'There is no usual place.',
  }),
  buildkitTlsFolder: optional(path(), {
    description: 'Folder with ca.pem, cert.pem and key.pem for the BuildKit daemon.',
    reason: 'Without it the connection is open to whoever can listen.',
  }),
  registrySecrets: setting(list('host=secret', new RegExp(`^${host}=[A-Za-z0-9][A-Za-z0-9_.-]*$`)), [], {
    description: 'Named secrets that hold the logins of registries. Each queue must allow the secret.',
    reason:
      'Other logins are found by themselves: those of docker login and its helpers, and of ECR, Google and Azure.',
    defaultText: 'none',
  }),
  buildSecrets: setting(list('VARIABLE=secret', /^[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9][A-Za-z0-9_.-]*$/), [], {
    description:
      'Named secrets that are in these variables while requirements are installed, and in no layer: the login of a package index.',
    reason: 'Each queue must allow the secret, or its builds fail.',
    defaultText: 'none',
  }),
  plainRegistries: setting(list('host:port', new RegExp(`^${host}$`)), [], {
    description: 'Registries that speak plain HTTP, besides those of this machine itself.',
    reason: 'A password would travel in the open.',
    defaultText: 'none',
  }),
};

export function buildersOf(
  values: Values<typeof builderSettings> & { dockerEngine?: string | undefined },
  hostEnvironment: Readonly<Record<string, string | undefined>>,
): Builders {
  return openBuilders({
    builder: values.builder,
    destination: values.builderDestination,
    platform: values.builderPlatform,
    cacheFrom: values.builderCacheFrom,
    cacheTo: values.builderCacheTo,
    engine: values.dockerEngine,
    buildkit: values.buildkitAddress,
    buildkitTlsFolder: values.buildkitTlsFolder,
    registrySecrets: Object.fromEntries(values.registrySecrets.map((pair) => pair.split('=') as [string, string])),
    buildSecrets: Object.fromEntries(values.buildSecrets.map((pair) => pair.split('=') as [string, string])),
    plainRegistries: values.plainRegistries,
    hostEnvironment,
  });
}
