import { ECRClient, GetAuthorizationTokenCommand, type ECRClientConfig } from '@aws-sdk/client-ecr';
import { LaunchError } from '../../domain/errors.js';
import type { Login, LoginSource } from './login.js';
import { TokenCache } from './token-cache.js';

const hostPattern = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** Amazon ECR: a password for twelve hours, given for the AWS login of this machine or pod (whatever the AWS SDK finds). */
export function ecrLogins(client: ECRClientConfig = {}): LoginSource {
  const tokens = new TokenCache();
  return {
    async login(host, { signal }) {
      const [, account, region] = hostPattern.exec(host) ?? [];
      if (account === undefined || region === undefined) return undefined;
      return tokens.get(host, async () => {
        const ecr = new ECRClient({ region, ...client });
        try {
          const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({ registryIds: [account] }), {
            abortSignal: signal,
          });
          const [data] = authorizationData ?? [];
          const login = data?.authorizationToken === undefined ? undefined : loginOf(data.authorizationToken);
          if (!login) throw new Error('the answer holds no login');
          return { login, expiresAtMs: data?.expiresAt?.getTime() ?? Date.now() };
        } catch (error) {
          signal.throwIfAborted();
          const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
          throw new LaunchError('registry-refused', 'prepare', `AWS gave no login for ${host}: ${reason}.`, error);
        } finally {
          ecr.destroy();
        }
      });
    },
  };
}

function loginOf(token: string): Login | undefined {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(token, 'base64').toString('utf8')) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password };
}
