import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { ApiLimits } from '../../api/deps.js';
import type { Blobs } from '../../store/blobs/blobs.js';
import type { LinkSigner } from '../../store/blobs/signed-url.js';
import type { Store } from '../../store/open.js';
import { invalid } from '../config/load.js';
import { addSettings, configure } from '../config/process.js';
import { openTracing } from '../../telemetry/tracing.js';
import { checkMetrics, metricsAddress } from '../config/metrics.js';
import { serverSettings } from '../config/server.js';
import type { Values } from '../config/settings.js';
import { temporalConnection } from '../config/temporal.js';
import { embeddedKeyring, keyringOf, warnOfMissingKeys } from '../secret-keys.js';
import { defaultHome, homeAt } from '../stack/home.js';
import { checkDocker } from '../doctor/docker.js';
import { stopSignal, untilAborted } from '../stop-signals.js';
import { version } from '../version.js';
import { untilThere } from '../wait-for.js';

type ServerValues = Values<typeof serverSettings>;

export function defineServer(command: Command): void {
  addSettings(command, serverSettings)
    // For `davit up`: whoever owns the data folder owns the database, so keys are mended and a first queue is made.
    .addOption(new Option('--embedded <queue>').hideHelp())
    .action(async (options: Record<string, unknown>) => {
      const check = ({ values }: { values: ServerValues }) => {
        bucketOf(values);
        checkMetrics('server', values);
        keyringOf(values);
      };
      const configured = configure('server', serverSettings, options, process.env, check);
      if (configured === undefined) return;
      const { loaded, log } = configured;
      const embeddedQueue = options['embedded'] as string | undefined;
      await serve(loaded.values, temporalConnection(loaded.values, loaded.origins, process.env), embeddedQueue, log);
    });
}

/** Builds everything the API needs, once, and serves until it is asked to end. */
async function serve(
  values: ServerValues,
  temporal: ReturnType<typeof temporalConnection>,
  embeddedQueue: string | undefined,
  log: Logger,
): Promise<void> {
  // Loaded here, so that the other commands need not wait for it.
  const { makeFirstAdmin, prepareEmbedded } = await import('../first-start.js');
  const { isStoreUnavailable, openStore } = await import('../../store/open.js');
  const { migrate } = await import('../../store/migrate.js');
  const { createDispatch, lazyTemporal } = await import('../../api/dispatch/index.js');
  const { createEvents } = await import('../../api/events.js');
  const { defaultLimits } = await import('../../api/deps.js');
  const { createApiMetrics } = await import('../../api/metrics/index.js');
  const { startApi } = await import('../../api/server.js');
  const { listenForMetrics } = await import('../../telemetry/metrics-listener.js');
  const { availableTargets, planJob } = await import('../../targets/register.js');

  const signal = stopSignal();
  const home = homeAt(values.home ?? defaultHome(process.env));
  const publicUrl = (values.publicUrl ?? `http://${values.host}:${values.port}`).replace(/\/+$/, '');
  const store = openStore({
    databaseUrl: values.databaseUrl,
    maxConnections: values.databaseConnections,
    applicationName: 'davit-server',
    onError: (error) =>
      log.warn({ reason: error.message }, 'a connection to the database broke; it is made anew when needed'),
  });
  const { db } = store;
  const { blobs, blobSigner } = await untilThere(
    'the database',
    async () => {
      if (values.migrate) {
        const { applied } = await migrate(db);
        if (applied.length > 0) log.info({ applied }, 'brought the database to this version');
      }
      if (embeddedQueue === undefined) {
        const keyFile = values.adminKeyFile ?? join(home.keys, 'admin');
        await makeFirstAdmin(db, { name: values.adminName, keyFile, log });
      } else {
        await prepareEmbedded(db, {
          keysFolder: home.keys,
          adminName: values.adminName,
          queue: embeddedQueue,
          hasEngine: async () => (await checkDocker(process.env)).status === 'ok',
          log,
        });
      }
      return openBlobs(values, db, home.blobs, publicUrl);
    },
    { log, signal, isTemporary: isStoreUnavailable },
  );

  // Temporal need not be there: launches are accepted as rows, and told when it comes.
  const keyring = embeddedQueue === undefined ? keyringOf(values) : embeddedKeyring(home.keys);
  await warnOfMissingKeys(db, keyring, log);
  const metrics = createApiMetrics({ db, version, log });
  const tracing = await openTracing({ service: 'davit-server', version, env: process.env, log });
  const dispatch = createDispatch({
    db,
    blobs,
    temporal: lazyTemporal(temporal, log),
    windowSize: values.window,
    observeSweep: metrics.observeSweep,
    log,
  });
  const events = createEvents({ databaseUrl: values.databaseUrl, log });
  const limits: ApiLimits = {
    ...defaultLimits,
    ...(values.requestsPerSecond === undefined ? {} : { requestsPerSecond: values.requestsPerSecond }),
  };
  const api = await startApi(
    { host: values.host, port: values.port, publicUrl },
    {
      db,
      blobs,
      ...(blobSigner === undefined ? {} : { blobSigner }),
      dispatch,
      events,
      log,
      publicUrl,
      version,
      temporal: { address: temporal.address, namespace: temporal.namespace },
      targets: availableTargets(),
      plan: planJob,
      limits,
      keyring,
      // Several processes may share a data folder, not a port.
      git: { allowed: values.gitAllowed, tmpFolder: join(home.tmp, `api-${values.port}`) },
      metrics,
      metricsToken: values.metricsToken,
      tracing,
    },
  );
  dispatch.start();
  const address = metricsAddress(values);
  const metricsPort = address && (await listenForMetrics({ ...address, read: metrics.page }));

  await untilAborted(signal);
  log.info('stopping: requests under way end first');
  await api.stop();
  await metricsPort?.close();
  await tracing?.close();
  await dispatch.stop();
  await events.close();
  await store.close();
  log.info('stopped');
}

async function openBlobs(
  values: ServerValues,
  db: Store,
  defaultFolder: string,
  publicUrl: string,
): Promise<{ blobs: Blobs; blobSigner?: LinkSigner }> {
  const bucket = bucketOf(values);
  if (bucket === undefined) {
    const { folderBlobs } = await import('../../store/blobs/folder.js');
    const { linkSecret, linkSigner } = await import('../../store/blobs/signed-url.js');
    const blobSigner = linkSigner(await linkSecret(db));
    const folder = values.blobs ?? defaultFolder;
    return { blobs: await folderBlobs({ folder, signer: blobSigner, publicUrl }), blobSigner };
  }
  const { s3Blobs } = await import('../../store/blobs/s3.js');
  const { s3Endpoint: endpoint, s3PublicEndpoint: publicEndpoint } = values;
  const blobs = s3Blobs({
    ...bucket,
    region: values.s3Region,
    forcePathStyle: values.s3PathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(publicEndpoint === undefined ? {} : { publicEndpoint }),
  });
  return { blobs };
}

/** The bucket of `s3://bucket/prefix`; undefined for a folder. */
function bucketOf({ blobs }: ServerValues): { bucket: string; prefix?: string } | undefined {
  if (blobs === undefined || !/^[a-z0-9]+:\/\//i.test(blobs)) return undefined;
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(blobs);
  if (match?.[1] === undefined) {
    throw invalid('server', [{ path: 'blobs', message: `must be a folder, or s3://bucket/prefix, not "${blobs}"` }]);
  }
  const prefix = match[2]?.replace(/\/*$/, '') ?? '';
  return prefix === '' ? { bucket: match[1] } : { bucket: match[1], prefix: `${prefix}/` };
}
