import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DavitError } from '../../domain/errors.js';

/** TLS in the words of Temporal's SDK: on and off, or certificates. */
export type Tls = NonNullable<ReturnType<typeof loadClientConnectConfig>['connectionOptions']['tls']>;

export interface TemporalConnection {
  address: string;
  namespace: string;
  tls?: Tls;
  apiKey?: string;
}

interface TemporalValues {
  temporalAddress: string;
  temporalNamespace: string;
  temporalApiKey?: string;
}

/**
 * The connection to Temporal: address, namespace and key from our settings, TLS from the TEMPORAL_TLS variables that all Temporal tools
 * read. Temporal's own configuration file counts only when a variable names it or a profile: somebody's default profile is for their
 * other work.
 */
export function temporalConnection(
  values: TemporalValues,
  origins: Record<string, string>,
  env: NodeJS.ProcessEnv,
): TemporalConnection {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  );
  const named = ['TEMPORAL_CONFIG_FILE', 'TEMPORAL_PROFILE'].some((name) => Object.hasOwn(overrideEnvVars, name));
  let profile: ReturnType<typeof loadClientConnectConfig>;
  try {
    profile = loadClientConnectConfig({ overrideEnvVars, disableFile: !named });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DavitError('invalid-configuration', `The TEMPORAL_ variables cannot be used: ${reason}.`, {
      cause: error,
    });
  }
  const { address, tls, apiKey } = profile.connectionOptions;
  // A profile beats our defaults, and is beaten by what was set for Davit itself.
  const given = (key: keyof TemporalValues) => (origins[key] === 'default' ? undefined : values[key]);
  const key = given('temporalApiKey') ?? apiKey;
  return {
    address: given('temporalAddress') ?? address ?? values.temporalAddress,
    namespace: given('temporalNamespace') ?? profile.namespace ?? values.temporalNamespace,
    ...(key === undefined ? {} : { apiKey: key }),
    ...tlsOf(tls ?? undefined, key),
  };
}

/** A key is sent over TLS only, so it switches TLS on unless somebody decided otherwise. */
function tlsOf(tls: Tls | undefined, apiKey: string | undefined): { tls?: Tls } {
  if (tls !== undefined) return { tls };
  return apiKey === undefined ? {} : { tls: true };
}
