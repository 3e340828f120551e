/** Names of container images, as Docker reads them: `[host[:port]/]path[:tag][@digest]`. */
export interface ImageReference {
  /** `docker.io` when none is given. */
  host: string;
  /** Path in the registry; official images of Docker Hub begin with `library/`. */
  path: string;
  /** Undefined: neither tag nor digest was given (`latest`), or a digest alone. */
  tag: string | undefined;
  /** `sha256:…` */
  digest: string | undefined;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const hostPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::[0-9]{1,5})?$/;
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Undefined when it is no name of an image. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > 512) return undefined;
  const [named = '', digest, ...surplus] = text.split('@');
  if (surplus.length > 0 || (digest !== undefined && !digestPattern.test(digest))) return undefined;
  // A colon behind the last slash begins a tag; one before it, a port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const place = colon < 0 ? named : named.slice(0, colon);
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const { host, path } = hostAndPath(place);
  if (!hostPattern.test(host) || path.length > 255 || !pathPattern.test(path)) return undefined;
  return { host, path, tag, digest };
}

function hostAndPath(place: string): { host: string; path: string } {
  const slash = place.indexOf('/');
  const first = place.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (isHost) {
    const host = first === 'index.docker.io' ? 'docker.io' : first;
    const rest = place.slice(slash + 1);
    return { host, path: host === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest };
  }
  return { host: 'docker.io', path: slash < 0 ? `library/${place}` : place };
}

/** Host and path, without tag and digest, as it can be given to Docker. */
export function repositoryOf({ host, path }: ImageReference): string {
  if (host !== 'docker.io') return `${host}/${path}`;
  return path.startsWith('library/') ? path.slice('library/'.length) : path;
}

/** `repository:tag@digest` with what is there; `latest` is spelled out. */
export function imageName(image: ImageReference): string {
  const tag = image.tag ?? (image.digest === undefined ? 'latest' : undefined);
  const digest = image.digest === undefined ? '' : `@${image.digest}`;
  return `${repositoryOf(image)}${tag === undefined ? '' : `:${tag}`}${digest}`;
}

/** The very image: by digest, whatever becomes of the tag. */
export const pinnedName = (image: ImageReference, digest: string): string => `${repositoryOf(image)}@${digest}`;
