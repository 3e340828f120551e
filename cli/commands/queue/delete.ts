import type { Command } from 'commander';
import { confirmed } from '../../confirm.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { queueOf } from './show.js';

export function defineQueueDelete(command: Command): void {
  addConnectOptions(command.argument('<name>', 'queue, or entity/queue'))
    .description('delete a queue in which nothing waits and nothing runs')
    .option('--cancel-waiting', 'cancel what waits in it')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
What runs must end first: davit queue drain NAME, and look with davit queue top NAME.

  davit queue delete old-gpu
  davit queue delete old-gpu --cancel-waiting --yes`,
    )
    .action(async (reference: string, options: DeleteOptions) => {
      const api = connect(options);
      const { entity, name } = await qualified(reference, api);
      const full = `${entity}/${name}`;
      const { waiting, held } = await queueOf(api, entity, name);
      const lost = options.cancelWaiting === true && waiting + held > 0;
      if (
        lost &&
        !(await confirmed(`Delete ${full} and cancel the ${waiting + held} launches that wait in it?`, options))
      )
        return;
      const { data } = await api.client.DELETE('/queues/{entity}/{queue}', {
        params: {
          path: { entity, queue: name },
          query: options.cancelWaiting === true ? { cancelWaiting: 'true' } : {},
        },
      });
      new Output(options.json === true).result(data, () => {
        const work =
          data?.bulk == null
            ? ''
            : ` ${data.cancelling} launches are being cancelled: davit launches bulk ${data.bulk}`;
        return `Deleted the queue ${full}.${work}`;
      });
    });
}

interface DeleteOptions extends ConnectOptions {
  cancelWaiting?: boolean;
  yes?: boolean;
  json?: boolean;
}
