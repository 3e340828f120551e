import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { addSettings, configure } from '../config/process.js';
import { upSettings } from '../config/up.js';
import { Output } from '../output/output.js';
import { exitCodes } from '../output/exit-codes.js';
import type { EmbeddedStack } from '../stack/embedded.js';
import { defaultHome, openHome } from '../stack/home.js';
import { onParentGone } from '../stack/parent.js';
import { untilAborted } from '../stop-signals.js';
import { upChildren } from '../up-children.js';
import { UpVoice } from '../up-voice.js';

export function defineUp(command: Command): void {
  addSettings(command, upSettings)
    .option('--json', 'say what happens as JSON lines')
    .action(async (options: Record<string, unknown>) => {
      const configured = configure('up', upSettings, options, process.env);
      if (configured === undefined) return;
      const { values } = configured.loaded;
      const home = openHome(values.home ?? defaultHome(process.env));
      const voice = new UpVoice(new Output(options['json'] === true), home.root);
      const log = pino(
        { level: values.logLevel, base: { part: 'up' }, timestamp: pino.stdTimeFunctions.isoTime },
        pino.destination({ dest: join(home.logs, 'up.log'), sync: true }),
      );

      const { startEmbedded } = await import('../stack/embedded.js');
      let stack: EmbeddedStack | undefined;
      const stop = new AbortController();
      let asked = 0;
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(name, () => {
          asked += 1;
          if (asked === 1) {
            voice.stopping();
            stop.abort();
          } else if (asked === 2 && stack !== undefined) {
            voice.stoppingFast();
            endAtOnce(stack);
          } else process.exit(exitCodes.interrupted);
        });
      }

      // Started by another program that shares a channel with us: without it nobody would stop this stack.
      onParentGone(() => {
        if (!stop.signal.aborted) voice.stopping();
        stop.abort();
      });

      try {
        const { port, temporalPort, temporalUiPort, postgresPort } = values;
        stack = await startEmbedded({
          home: home.root,
          env: environmentWith(values),
          log,
          signal: stop.signal,
          ports: {
            ...(port === undefined ? {} : { api: port }),
            ...(temporalPort === undefined ? {} : { temporal: temporalPort }),
            ...(temporalUiPort === undefined ? {} : { temporalUi: temporalUiPort }),
            ...(postgresPort === undefined ? {} : { postgres: postgresPort }),
          },
          ...(values.databaseUrl === undefined ? {} : { databaseUrl: values.databaseUrl }),
          onEvent: (event) => voice.event(event),
          children: (endpoints) =>
            upChildren(values, endpoints, process.env, (part, line) => voice.childLine(part, line)),
        });
      } catch (error) {
        if (stop.signal.aborted) {
          process.exitCode = exitCodes.interrupted;
          return;
        }
        throw error;
      }
      voice.up(stack, values);
      process.send?.({ kind: 'up' });
      await untilAborted(stop.signal);
      await stack.stop();
      voice.stopped();
    });
}

/** Somebody presses Ctrl-C again: no more grace. PostgreSQL has a fast way of its own that needs no repair but a replay of its log. */
function endAtOnce(stack: EmbeddedStack): void {
  for (const { name, pid } of stack.status()) {
    if (pid === null) continue;
    try {
      process.kill(pid, name === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

/** Where Temporal is, in the variables that the stack looks for, when a flag or the file says so. */
function environmentWith(values: {
  temporalAddress?: string;
  temporalNamespace: string;
  temporalApiKey?: string;
}): NodeJS.ProcessEnv {
  if (values.temporalAddress === undefined) return process.env;
  return {
    ...process.env,
    TEMPORAL_ADDRESS: values.temporalAddress,
    TEMPORAL_NAMESPACE: values.temporalNamespace,
    ...(values.temporalApiKey === undefined ? {} : { TEMPORAL_API_KEY: values.temporalApiKey }),
  };
}
