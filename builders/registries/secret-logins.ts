import { LaunchError } from '../../domain/errors.js';
import { dockerConfigSchema, loginInConfig } from './docker-config.js';
import type { Login, LoginSource } from './login.js';

/**
 * Logins that are kept as named secrets. The value of one is `user:password`, `{"username": …, "password": …}`, or the text of a Docker
 * configuration (`{"auths": {…}}`), as Kubernetes keeps them.
 */
export function secretLogins(
  /** Host → name of its secret. */
  secrets: Readonly<Record<string, string>>,
): LoginSource {
  return {
    async login(host, { secret }) {
      const name = secrets[host];
      if (name === undefined) return undefined;
      const login = loginInSecret(await secret(name), host);
      if (login) return login;
      // What is in it stays there.
      throw new LaunchError(
        'registry-refused',
        'prepare',
        `The secret "${name}" holds no login for the registry ${host}.`,
      );
    },
  };
}

export function loginInSecret(value: string, host: string): Login | undefined {
  const text = value.trim();
  if (!text.startsWith('{')) {
    const colon = text.indexOf(':');
    return colon <= 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { username, password } = parsed as { username?: unknown; password?: unknown };
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  const config = dockerConfigSchema.safeParse(parsed);
  return config.success ? loginInConfig(config.data, host) : undefined;
}
