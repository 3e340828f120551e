import { readFile } from 'node:fs/promises';
import type { LoginSource } from './login.js';
import { TokenCache } from './token-cache.js';
import { requestToken } from './token-request.js';

const hostPattern = /^[a-z0-9]{5,50}\.azurecr\.(io|cn|us)$/;
const resource = 'https://containerregistry.azure.net/';
/** By this name the registry knows that the password is a token. */
const tokenUser = '00000000-0000-0000-0000-000000000000';

export interface AzureOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Hosts that are Azure's though they do not look it, and where they are asked (tests). */
  exchangeUrl?: (host: string) => string;
  /** Where machines are told who they are. */
  machineUrl?: string;
}

/** Azure Container Registry: the login of a service principal, of a pod or of this machine is exchanged for one that the registry takes. */
export function azureLogins({ environment, exchangeUrl, machineUrl }: AzureOptions): LoginSource {
  const tokens = new TokenCache();
  return {
    async login(host, { signal }) {
      if (!hostPattern.test(host)) return undefined;
      return tokens.get(host, async () => {
        const who = 'Azure';
        const own = await ownLogin(environment, machineUrl);
        const { token } = await requestToken({ who, host, field: 'access_token', ...own }, signal);
        const tenant = environment['AZURE_TENANT_ID'];
        const body = new URLSearchParams({
          grant_type: 'access_token',
          service: host,
          access_token: token,
          ...(tenant === undefined ? {} : { tenant }),
        });
        const url = exchangeUrl?.(host) ?? `https://${host}/oauth2/exchange`;
        const answer = await requestToken(
          { who, host, field: 'refresh_token', url, init: { method: 'POST', body } },
          signal,
        );
        return { login: { username: tokenUser, password: answer.token }, expiresAtMs: answer.expiresAtMs };
      });
    },
  };
}

async function ownLogin(
  environment: AzureOptions['environment'],
  machineUrl = 'http://169.254.169.254/metadata/identity/oauth2/token',
): Promise<{ url: string; init: RequestInit }> {
  const tenant = environment['AZURE_TENANT_ID'];
  const client = environment['AZURE_CLIENT_ID'];
  const secret = environment['AZURE_CLIENT_SECRET'];
  const tokenFile = environment['AZURE_FEDERATED_TOKEN_FILE'];
  if (tenant !== undefined && client !== undefined && (secret !== undefined || tokenFile !== undefined)) {
    const authority = (environment['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com').replace(/\/$/, '');
    const proof: Record<string, string> =
      secret !== undefined
        ? { client_secret: secret }
        : {
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: (await readFile(tokenFile ?? '', 'utf8')).trim(),
          };
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      scope: `${resource}.default`,
      ...proof,
    });
    return { url: `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, init: { method: 'POST', body } };
  }
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    resource,
    ...(client === undefined ? {} : { client_id: client }),
  });
  return { url: `${machineUrl}?${query.toString()}`, init: { headers: { Metadata: 'true' } } };
}
