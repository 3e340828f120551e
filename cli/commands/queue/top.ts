import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { durationOption } from '../../durations.js';
import { Output } from '../../output/output.js';
import { isTerminal } from '../../output/terminal.js';
import { qualified } from '../../references.js';
import { printTop, streamTop } from '../../top/print.js';
import { topSource } from '../../top/source.js';
import { watchTop } from '../../top/live.js';

const footer = `
Keys: q leaves, arrows, PgUp, PgDn, Home and End scroll, p pauses the view (the queue goes on).
Printed to something that is no terminal it is one picture, as with --once.

  davit queue top                 # every queue
  davit queue top gpu             # one line: who is next, why, when it is likely to start, and what runs
  davit queue top gpu --once
  davit queue top --json --interval 10s | jq .`;

export function defineQueueTop(command: Command): void {
  addConnectOptions(command.argument('[name]', 'queue, or entity/queue (default: all)'))
    .description('watch queues live: what waits, what runs, and why')
    .option('--entity <name>', 'queues of this entity only')
    .option('--interval <duration>', 'look this often', durationOption, 1_000)
    .option('--once', 'print it once')
    .option('--json', 'one JSON line for each look')
    .addHelpText('after', footer)
    .action(async (name: string | undefined, options: TopOptions) => {
      const api = connect(options);
      const queue = name === undefined ? undefined : await qualified(name, api);
      const source = topSource(api, {
        ...(queue === undefined ? {} : { queue }),
        ...(options.entity === undefined ? {} : { entity: options.entity }),
      });
      const intervalMs = Math.max(200, options.interval);
      if (options.json === true)
        process.exitCode = await streamTop(source, new Output(true), options.once === true ? undefined : intervalMs);
      else if (options.once === true || !isTerminal(process.stdout)) await printTop(source, api.url, new Output(false));
      else process.exitCode = await watchTop(source, api.url, intervalMs);
    });
}

interface TopOptions extends ConnectOptions {
  entity?: string;
  interval: number;
  once?: boolean;
  json?: boolean;
}
