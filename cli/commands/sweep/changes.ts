import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { reportError } from '../../output/report-error.js';
import { answerOf } from '../launches/answer.js';
import { sweepPath, sweepReference, type SweepPath } from './reference.js';

type Sweep = Api<'SweepDetail'>;

/** What people do with sweeps that are under way. Each may be repeated. */
export function defineSweepChanges(command: Command): void {
  define(command.command('pause'), {
    description: 'give no new parameter sets; runs go on, and agents wait',
    act: async ({ client }, path) =>
      client.POST('/entities/{entity}/projects/{project}/sweeps/{sweep}/pause', { params: { path } }),
    done: (_, name) => `${name} is paused. Undo: davit sweep resume ${name}`,
  });
  define(command.command('resume'), {
    description: 'give parameter sets again, also after the sweep was over',
    act: async ({ client }, path) =>
      client.POST('/entities/{entity}/projects/{project}/sweeps/{sweep}/resume', { params: { path } }),
    done: ({ agentsAlive }, name) =>
      `${name} gives parameter sets again.${agentsAlive === 0 ? ` No agent is there: wandb agent ${name}` : ''}`,
  });
  define(command.command('stop'), {
    description: 'end the search; runs go on to their end',
    act: async ({ client }, path) =>
      client.POST('/entities/{entity}/projects/{project}/sweeps/{sweep}/stop', { params: { path } }),
    done: (sweep, name) => `${name} has ended.${stillRunning(sweep, 'goes on to its end', 'go on to their end')}`,
  });
  define(command.command('cancel'), {
    description: 'end the search and its runs',
    act: async ({ client }, path) =>
      client.POST('/entities/{entity}/projects/{project}/sweeps/{sweep}/cancel', { params: { path } }),
    done: (sweep, name) => `${name} is cancelled.${stillRunning(sweep, 'is told to stop', 'are told to stop')}`,
  });
}

function stillRunning({ runs }: Sweep, one: string, many: string): string {
  const n = (runs.byState.running ?? 0) + (runs.byState.preempting ?? 0);
  return n === 0
    ? ''
    : n === 1
      ? ` Its one run that is under way ${one}.`
      : ` Its ${n} runs that are under way ${many}.`;
}

interface Change {
  description: string;
  act(api: Connected, path: SweepPath): Promise<{ data?: Sweep }>;
  done(sweep: Sweep, name: string): string;
}

function define(command: Command, { description, act, done }: Change): void {
  addConnectOptions(command.argument('<sweep...>', sweepReference))
    .description(description)
    .option('--json', 'one JSON line for each')
    .addHelpText('after', `\n  davit sweep ${command.name()} flowers/k3x8w2qp`)
    .action(async (references: string[], options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const out = new Output(options.json === true);
      // One that is refused does not keep the others from being changed.
      for (const reference of references) {
        try {
          const path = await sweepPath(reference, api);
          const sweep = answerOf(await act(api, path));
          out.line(sweep, () => done(sweep, `${path.entity}/${path.project}/${path.sweep}`));
        } catch (error) {
          process.exitCode = Math.max(Number(process.exitCode ?? 0), reportError(error, out.json));
        }
      }
    });
}
