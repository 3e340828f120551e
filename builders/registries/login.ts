/** What opens a registry: a name and a password, or a token in the place of one. */
export interface Login {
  username: string;
  password: string;
}

/** For whom a login is wanted: the secrets of its entity may hold one. */
export interface LoginContext {
  signal: AbortSignal;
  secret(name: string): Promise<string>;
}

/** Where logins come from. Each answers for the hosts that it knows. */
export interface LoginSource {
  login(host: string, context: LoginContext): Promise<Login | undefined>;
}

/** The first source that knows the host. */
export function firstOf(sources: readonly LoginSource[]): LoginSource {
  return {
    async login(host, context) {
      for (const source of sources) {
        const found = await source.login(host, context);
        if (found) return found;
      }
      return undefined;
    },
  };
}

/** Docker Hub goes by several names. */
export const registryHost = (host: string): string =>
  /^(https?:\/\/)?(index\.docker\.io|registry-1\.docker\.io|docker\.io)(\/|$)/.test(host)
    ? 'docker.io'
    : host.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

/** As the Engine takes it in `X-Registry-Auth`. */
export const engineAuth = (host: string, login: Login | undefined) =>
  login === undefined
    ? undefined
    : {
        username: login.username,
        password: login.password,
        serveraddress: host === 'docker.io' ? 'https://index.docker.io/v1/' : host,
      };
