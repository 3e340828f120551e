import type { Command } from 'commander';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { launchWords } from '../../launch-words.js';
import { Output } from '../../output/output.js';
import { answerOf } from './answer.js';

export function defineShow(command: Command): void {
  addConnectOptions(command.argument('<id>', 'launch'))
    .description('show a launch: where it stands, why it waits or failed, what to do next, its timeline')
    .option('--json', 'as JSON')
    .action(async (id: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      const params = { params: { path: { id } } };
      const launch = answerOf(await api.client.GET('/launches/{id}', params));
      const waiting =
        launch.state === 'queued' ? answerOf(await api.client.GET('/launches/{id}/waiting', params)) : undefined;
      out.result(waiting === undefined ? launch : { ...launch, waitsFor: waiting }, () =>
        launchWords(launch, waiting, api.url, out),
      );
    });
}
