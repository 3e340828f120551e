import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { addQueueSettings, queueSettingsFrom } from '../../queue-settings.js';
import type { QueueSettingOptions } from '../../queue-settings.js';
import { queueWords } from '../../queue-words.js';
import { qualified } from '../../references.js';
import { agentsOf, queueAndEtag } from './show.js';

const examples = `
What is not said stays. Limits hold from now on and stop nothing that runs; launches keep the retries and time-outs that they were accepted with.

  davit queue set gpu --max-running 4
  davit queue set gpu --max-running none --ttl none --timeout none
  davit queue set shared --weight vision=3 --project-limit sandbox=none`;

export function defineQueueSet(command: Command): void {
  addQueueSettings(addConnectOptions(command.argument('<name>', 'queue, or entity/queue')))
    .description('change limits, order, retries and time-outs of a queue')
    .option('--json', 'print the queue as JSON')
    .addHelpText('after', examples)
    .action(async (name: string, options: ConnectOptions & QueueSettingOptions & { json?: boolean }) => {
      const api = connect(options);
      const { entity, name: queue } = await qualified(name, api);
      const { queue: now, etag } = await queueAndEtag(api, entity, queue);
      const body = queueSettingsFrom(options, now);
      if (Object.keys(body).length === 0) throw new DavitError('wrong-usage', 'Say with an option what is to change.');
      const { data } = await api.client.PATCH('/queues/{entity}/{queue}', {
        params: { path: { entity, queue }, ...(etag === null ? {} : { header: { 'If-Match': etag } }) },
        body,
      });
      const out = new Output(options.json === true);
      if (data === undefined) return;
      const agents = out.json ? [] : await agentsOf(api, data);
      out.result(data, () => queueWords(data, agents, out));
    });
}
