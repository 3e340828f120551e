import type { Command } from 'commander';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { qualified } from '../../references.js';
import { answerOf } from '../launches/answer.js';
import { queueAndEtag } from '../queue/show.js';

const footer = `
Whoever may launch on the queue may then give the secret to a job of theirs, and read it there: davit launch … --secret VARIABLE=NAME
With --variable every job of the queue gets it without asking.

  davit secret allow hugging-face gpu
  davit secret allow hugging-face gpu --variable HF_TOKEN`;

export function defineSecretAllow(command: Command): void {
  changing(command)
    .description('let the launches of a queue use a secret of its entity')
    .option('--variable <name>', 'give it to every job of the queue, in this variable')
    .addHelpText('after', footer)
    .action(async (secret: string, queue: string, options: AllowOptions) => {
      const api = connect(options);
      const { variable } = options;
      const now = await change(api, queue, ({ secrets, secretVariables }) => ({
        secrets: [...new Set([...secrets, secret])],
        ...(variable === undefined ? {} : { secretVariables: { ...secretVariables, [variable]: secret } }),
      }));
      new Output(options.json === true).result(now, () => sentence(now));
    });
}

export function defineSecretDisallow(command: Command): void {
  changing(command)
    .description('undo that; launches that wait for it fail when they are submitted, jobs that run keep it')
    .action(async (secret: string, queue: string, options: AllowOptions) => {
      const api = connect(options);
      const now = await change(api, queue, ({ secrets, secretVariables }) => ({
        secrets: secrets.filter((name) => name !== secret),
        secretVariables: Object.fromEntries(Object.entries(secretVariables).filter(([, name]) => name !== secret)),
      }));
      new Output(options.json === true).result(now, () => sentence(now));
    });
}

const changing = (command: Command): Command =>
  addConnectOptions(command.argument('<secret>', 'its name').argument('<queue>', 'queue, or entity/queue')).option(
    '--json',
    'print the queue as JSON',
  );

async function change(
  api: Connected,
  reference: string,
  to: (queue: Api<'Queue'>) => Api<'QueueChange'>,
): Promise<Api<'Queue'>> {
  const { entity, name: queue } = await qualified(reference, api);
  const { queue: now, etag } = await queueAndEtag(api, entity, queue);
  return answerOf(
    await api.client.PATCH('/queues/{entity}/{queue}', {
      params: { path: { entity, queue }, ...(etag === null ? {} : { header: { 'If-Match': etag } }) },
      body: to(now),
    }),
  );
}

function sentence({ entity, name, secrets, secretVariables }: Api<'Queue'>): string {
  const given = Object.entries(secretVariables).map(([variable, secret]) => `${variable}=${secret}`);
  const allowed = secrets.length === 0 ? 'no secrets' : secrets.join(', ');
  return `${entity}/${name} allows ${allowed}${given.length === 0 ? '' : `, and gives every job ${given.join(', ')}`}.`;
}

interface AllowOptions extends ConnectOptions {
  variable?: string;
  json?: boolean;
}
