import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { agentSettings } from '../config/agent.js';
import { buildersOf } from '../config/builders.js';
import { invalid } from '../config/load.js';
import { addSettings, configure } from '../config/process.js';
import type { Values } from '../config/settings.js';
import { openTracing } from '../../telemetry/tracing.js';
import { checkMetrics, metricsAddress } from '../config/metrics.js';
import { temporalConnection } from '../config/temporal.js';
import { exitCodes } from '../output/exit-codes.js';
import { stopSignal, untilAborted } from '../stop-signals.js';
import { isTemporalUnavailable } from '../temporal-errors.js';
import { version } from '../version.js';
import { untilThere } from '../wait-for.js';

export function defineAgent(command: Command): void {
  addSettings(command, agentSettings).action(async (options: Record<string, unknown>) => {
    const configured = configure('agent', agentSettings, options, process.env, ({ values }) => {
      checkKey(values);
      checkMetrics('agent', values);
    });
    if (configured === undefined) return;
    const { values } = configured.loaded;
    const { log } = configured;
    // Loaded here, so that the other commands start without Temporal's native library.
    const { startAgent } = await import('../../workers/agent.js');
    const signal = stopSignal();
    const tracing = await openTracing({ service: 'davit-agent', version, env: process.env, log });
    const { temporalAddress, temporalNamespace = 'default', temporalApiKey } = values;
    const temporal =
      temporalAddress === undefined
        ? undefined
        : temporalConnection(
            { temporalAddress, temporalNamespace, ...(temporalApiKey === undefined ? {} : { temporalApiKey }) },
            configured.loaded.origins,
            process.env,
          );
    const agent = await untilThere(
      'the API or Temporal',
      () =>
        startAgent({
          apiUrl: values.url,
          apiKey: keyOf(values),
          entity: values.entity,
          name: values.agentName,
          queues: values.queues,
          maxJobs: values.maxJobs,
          labels: values.labels,
          quarantineAfter: values.quarantineAfter,
          workFolder: values.workFolder,
          environmentCacheFolder: values.environmentCacheFolder,
          targetOptions: { docker: dockerOptions(values) },
          gitAllowed: values.gitAllowed,
          macros: macrosOf(values.macros),
          builders: buildersOf(values, process.env),
          codeCache: { folder: values.codeCacheFolder, maxBytes: values.codeCacheMiB * 1024 ** 2 },
          heartbeatMs: values.heartbeatMs,
          temporal,
          version,
          metrics: metricsAddress(values),
          tracing,
          log,
        }),
      { log, signal, isTemporary: isAway },
    );
    const isDismissed = await Promise.race([
      agent.done.then(() => false),
      untilAborted(signal).then(() => false),
      agent.dismissed.then(() => true),
    ]);
    log.info('draining: no new launches; running jobs go on and are adopted by the next agent here');
    await agent.drain();
    await tracing?.close();
    log.info('stopped');
    if (isDismissed) process.exitCode = exitCodes.dismissed;
  });
}

/** The API answers that it cannot now, or does not answer. Its refusals (key, name, queue) are final. */
function isAway(error: unknown): boolean {
  const { status } = error as { status?: number };
  if (typeof status === 'number') return status === 0 || status === 429 || status >= 502;
  return (
    isTemporalUnavailable(error) || error instanceof TypeError || (error as { code?: string }).code === 'unavailable'
  );
}

function checkKey(values: Values<typeof agentSettings>): void {
  if (values.agentKey !== undefined) return;
  if (values.agentKeyFile === undefined) {
    throw invalid('agent', [
      {
        path: 'agentKey',
        message: 'is needed and not given: set DAVIT_AGENT_KEY, or --agent-key-file to a file that holds it',
      },
    ]);
  }
  if (!existsSync(values.agentKeyFile)) {
    throw invalid('agent', [{ path: `agentKeyFile (${values.agentKeyFile})`, message: 'does not exist' }]);
  }
}

const keyOf = (values: Values<typeof agentSettings>): string =>
  values.agentKey ?? readFileSync(values.agentKeyFile ?? '', 'utf8').trim();

/** Only what was given: the target has its own defaults. */
function dockerOptions(values: Values<typeof agentSettings>): Record<string, unknown> {
  const { dockerEngine, dockerApiUrl, dockerNetwork, dockerVolumes } = values;
  const given = { engine: dockerEngine, apiUrl: dockerApiUrl, network: dockerNetwork, volumes: dockerVolumes };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Declared names that have a value here; the others stay as they are in a config, where somebody can see them. */
function macrosOf(names: readonly string[]): Record<string, string> {
  const macros: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined && value !== '') macros[name] = value;
  }
  return macros;
}
