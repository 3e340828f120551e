import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Api } from '../../client/index.js';
import { addConnectOptions, connect } from '../connect.js';
import type { Connected, ConnectOptions } from '../connect.js';
import { followLaunch } from '../follow.js';
import { launchWords } from '../launch-words.js';
import { ago, Output } from '../output/output.js';
import { everyPage } from '../pages.js';

type Common = ConnectOptions & { json?: boolean };

export function defineLaunches(command: Command): void {
  defineList(addConnectOptions(command.command('list')));
  defineLogs(addConnectOptions(command.command('logs').argument('<id>', 'launch')));

  addConnectOptions(command.command('show').argument('<id>', 'launch'))
    .description('show a launch with its timeline')
    .option('--json', 'as JSON')
    .action(async (id: string, options: Common) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      const launch = await launchOf(api, id);
      out.result(launch, () => launchWords(launch, api.url, out));
    });

  addConnectOptions(command.command('watch').argument('<id>', 'launch'))
    .description('follow a launch to its end; exits as the job does')
    .option('--cancel-on-interrupt', 'a signal to this command cancels the launch')
    .option('--json', 'one JSON line for each event')
    .action(async (id: string, options: Common & { cancelOnInterrupt?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      process.exitCode = await followLaunch(api, id, out, { cancelOnInterrupt: options.cancelOnInterrupt === true });
    });

  addConnectOptions(command.command('cancel').argument('<id...>', 'launches'))
    .description('cancel launches: what waits ends at once, what runs is stopped')
    .option('--json', 'one JSON line for each')
    .action(async (ids: string[], options: Common) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      for (const id of ids) {
        const { data } = await api.client.POST('/launches/{id}/cancel', { params: { path: { id } } });
        out.line(data, () => `${id} ${data?.state ?? ''}`);
      }
    });

  addConnectOptions(command.command('relaunch').argument('<id>', 'launch'))
    .description('enqueue the same again, as a new launch with a new run')
    .option('-q, --queue <name>', 'in another queue')
    .option('-n, --name <name>', 'name of the new run')
    .option('-d, --detach', 'print the id and leave')
    .option('--json', 'JSON: one document with --detach, else one line for each event')
    .action(async (id: string, options: Common & { queue?: string; name?: string; detach?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      const { data } = await api.client.POST('/launches/{id}/relaunch', {
        params: { path: { id } },
        headers: { 'Idempotency-Key': randomUUID() },
        body: {
          ...(options.queue === undefined ? {} : { queue: options.queue }),
          ...(options.name === undefined ? {} : { name: options.name }),
        },
      });
      if (data === undefined) return;
      if (options.detach === true) out.result(data, () => data.id);
      else {
        if (out.json) out.line({ type: 'accepted', ...data }, () => '');
        else process.stderr.write(`launch ${data.id}\n`);
        process.exitCode = await followLaunch(api, data.id, out, { cancelOnInterrupt: false });
      }
    });
}

interface ListOptions extends Common {
  queue?: string;
  project?: string;
  state?: string;
  limit: number;
}

function defineList(command: Command): void {
  command
    .description('list launches, newest first')
    .option('-q, --queue <name>', 'of this queue, or entity/queue')
    .option('-p, --project <name>', 'of this project')
    .option('-s, --state <states>', 'in these states, separated by commas')
    .option('--limit <number>', 'so many', positive, 50)
    .option('--json', 'as JSON')
    .action(async (options: ListOptions) => {
      const { client } = connect(options);
      const filter = {
        ...(options.queue === undefined ? {} : { queue: options.queue }),
        ...(options.project === undefined ? {} : { project: options.project }),
        ...(options.state === undefined ? {} : { state: options.state }),
      };
      const launches = await everyPage<Api<'Launch'>>(
        async (cursor) => (await client.GET('/launches', { params: { query: { ...filter, ...cursor } } })).data,
        options.limit,
      );
      const out = new Output(options.json === true);
      out.result(launches, () =>
        launches.length === 0
          ? 'There are no such launches.'
          : out.table(
              ['LAUNCH', 'STATE', 'JOB', 'QUEUE', 'PROJECT', 'BY', 'ACCEPTED'],
              launches.map((one) => [
                one.id,
                one.failure === null ? one.state : `${one.state} (${one.failure.code})`,
                one.jobVersion ?? one.job,
                `${one.queue.entity}/${one.queue.name}`,
                `${one.entity}/${one.project}`,
                one.author,
                ago(one.createdAt),
              ]),
            ),
      );
    });
}

interface LogOptions extends Common {
  follow?: boolean;
  stream?: Api<'LogChunk'>['stream'];
}

function defineLogs(command: Command): void {
  command
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

async function launchOf(api: Connected, id: string): Promise<Api<'LaunchDetail'>> {
  const { data } = await api.client.GET('/launches/{id}', { params: { path: { id } } });
  if (data === undefined) throw new Error('the API answered without a body');
  return data;
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
