import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LaunchError } from '../../domain/errors.js';
import type { LoginSource } from './login.js';
import { TokenCache } from './token-cache.js';
import { requestToken } from './token-request.js';

const hostPattern = /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/;
const scope = 'https://www.googleapis.com/auth/cloud-platform';

const keySchema = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string(),
  private_key: z.string(),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
});

/** Google Artifact Registry: a token for an hour, of a service account's key file, or of the machine or pod that this runs on. */
export function googleLogins(environment: Readonly<Record<string, string | undefined>>): LoginSource {
  const tokens = new TokenCache();
  return {
    async login(host, { signal }) {
      if (!hostPattern.test(host)) return undefined;
      return tokens.get('google', async () => {
        const file = environment['GOOGLE_APPLICATION_CREDENTIALS'];
        const request = file === undefined ? ofMachine(environment['GCE_METADATA_HOST']) : await ofKeyFile(file, host);
        const { token, expiresAtMs } = await requestToken(
          { who: 'Google Cloud', host, field: 'access_token', ...request },
          signal,
        );
        return { login: { username: 'oauth2accesstoken', password: token }, expiresAtMs };
      });
    },
  };
}

function ofMachine(metadataHost = 'metadata.google.internal'): { url: string; init: RequestInit } {
  const url = `http://${metadataHost}/computeMetadata/v1/instance/service-accounts/default/token`;
  return { url, init: { headers: { 'Metadata-Flavor': 'Google' } } };
}

/** RFC 7523: a statement that the key signs is answered with a token. */
async function ofKeyFile(file: string, host: string): Promise<{ url: string; init: RequestInit }> {
  const key = await readKey(file, host);
  const nowS = Math.floor(Date.now() / 1000);
  const claims = { iss: key.client_email, scope, aud: key.token_uri, iat: nowS, exp: nowS + 3600 };
  const unsigned = [{ alg: 'RS256', typ: 'JWT' }, claims].map(encoded).join('.');
  const signature = createSign('RSA-SHA256').update(unsigned).sign(key.private_key, 'base64url');
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${unsigned}.${signature}`,
  });
  return { url: key.token_uri, init: { method: 'POST', body } };
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

async function readKey(file: string, host: string): Promise<z.infer<typeof keySchema>> {
  try {
    return keySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // The error itself would quote the file.
    throw new LaunchError(
      'registry-refused',
      'prepare',
      `${file} is not the key of a service account, so there is no login for ${host}.`,
    );
  }
}
