import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { addQueueSettings, queueSettingsFrom } from '../../queue-settings.js';
import type { QueueSettingOptions } from '../../queue-settings.js';
import { qualified } from '../../references.js';

const examples = `
  davit queue create gpu --max-running 8 --description "the A100 machines"
  davit queue create shared --fair --weight vision=2 --project-limit sandbox=1 --max-running-per-project 4
  davit queue create spot --retry preempted=5,agent-lost=2,exit:137=1 --retry-backoff 10s..10m --timeout run=2h,start=10m
  davit queue create nightly --no-priorities --max-waiting 1000 --ttl 12h`;

export function defineQueueCreate(command: Command): void {
  addQueueSettings(addConnectOptions(command.argument('<name>', 'queue, or entity/queue')))
    .description('make a queue')
    .option('--target <name>', 'where its launches run', 'process')
    .option('--json', 'print the queue as JSON')
    .addHelpText('after', examples)
    .action(async (name: string, options: CreateOptions) => {
      const settings = queueSettingsFrom(options);
      const api = connect(options);
      const { entity, name: queue } = await qualified(name, api);
      const { data } = await api.client.POST('/queues', {
        // The API says which targets there are; a list here would only grow old.
        body: { entity, name: queue, target: options.target as Api<'Queue'>['target'], ...settings },
      });
      new Output(options.json === true).result(data, () => `Made the queue ${entity}/${queue} (${options.target}).`);
    });
}

interface CreateOptions extends ConnectOptions, QueueSettingOptions {
  target: string;
  json?: boolean;
}
