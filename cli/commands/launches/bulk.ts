import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { bulkOf, bulkWords, endWords, followBulk, progressWords } from '../../bulk.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { ago, Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { grouped } from '../../top/words.js';
import { answerOf } from './answer.js';

export function defineBulk(command: Command): void {
  addConnectOptions(command.argument('[id]', 'the work; without it: the last ones'))
    .description('show how far changes of many launches are, or end one')
    .option('--watch', 'follow it to its end')
    .option('--cancel', 'end it; what is done stays done')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\n  davit launches bulk\n  davit launches bulk ID --watch\n  davit launches bulk ID --cancel',
    )
    .action(async (id: string | undefined, options: BulkCommandOptions) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      if (id === undefined) return list(api.client, out);
      if (options.cancel === true) {
        const bulk = answerOf(await api.client.POST('/bulk/{id}/cancel', { params: { path: { id } } }));
        out.result(bulk, () => endWords(bulk));
      } else if (options.watch === true) process.exitCode = await followBulk(api, out, id);
      else {
        const bulk = await bulkOf(api, id);
        out.result(bulk, () => (bulk.state === 'running' ? progressWords(bulk) : endWords(bulk)));
      }
    });
}

interface BulkCommandOptions extends ConnectOptions {
  watch?: boolean;
  cancel?: boolean;
  json?: boolean;
}

const shown = 20;

async function list(client: ReturnType<typeof connect>['client'], out: Output): Promise<void> {
  const bulks = await everyPage<Api<'Bulk'>>(
    async (query) => (await client.GET('/bulk', { params: { query } })).data,
    shown,
  );
  out.result(bulks, () =>
    bulks.length === 0
      ? 'Nobody has changed many launches at once.'
      : out.table(
          ['WORK', 'WHAT', 'STATE', 'DONE', 'BY', 'BEGUN'],
          bulks.map((one) => [
            one.id,
            bulkWords[one.action].ask.toLowerCase(),
            one.state,
            `${grouped(one.done + one.skipped + one.failed)} of ${grouped(one.total)}`,
            one.actor,
            ago(one.createdAt),
          ]),
        ),
  );
}
