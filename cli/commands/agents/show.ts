import type { Command } from 'commander';
import { agentWords } from '../../agent-words.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { answerOf } from '../launches/answer.js';

export function defineAgentsShow(command: Command): void {
  addConnectOptions(command.argument('<name>', 'agent, or entity/agent'))
    .description('show an agent: what it holds, what it has, and why it takes nothing')
    .option('--json', 'as JSON')
    .action(async (reference: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { entity, name: agent } = await qualified(reference, api);
      const found = answerOf(await api.client.GET('/agents/{entity}/{agent}', { params: { path: { entity, agent } } }));
      const out = new Output(options.json === true);
      out.result(found, () => agentWords(found, out));
    });
}
