import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';

interface LogOptions extends ConnectOptions {
  json?: boolean;
  follow?: boolean;
  stream?: Api<'LogChunk'>['stream'];
}

export function defineLogs(command: Command): void {
  addConnectOptions(command.argument('<id>', 'launch'))
    .description('print the log of a launch')
    .option('-f, --follow', 'until it ends')
    .option('--stream <name>', 'only prepare, stdout or stderr')
    .option('--json', 'one JSON line for each chunk')
    .action(async (id: string, options: LogOptions) => {
      const { client } = connect(options);
      const out = new Output(options.json === true);
      const of = options.stream === undefined ? {} : { stream: options.stream };
      const print = (chunk: Api<'LogChunk'>) => {
        if (out.json) out.line(chunk, () => '');
        else (chunk.stream === 'stderr' ? process.stderr : process.stdout).write(chunk.text);
      };
      if (options.follow === true) {
        const onBreak = () => void process.stderr.write('The connection to the API broke; trying again …\n');
        for await (const { event, data } of client.followLog(id, { ...of, maxAttempts: 60, onBreak }))
          if (event === 'log') print(data);
        return;
      }
      for (let from = 1, more = true; more;) {
        const { data } = await client.GET('/launches/{id}/logs', {
          params: { path: { id }, query: { ...of, from: String(from) } },
        });
        for (const chunk of data?.chunks ?? []) print(chunk);
        more = data?.more === true;
        from = data?.nextFrom ?? from;
      }
    });
}
