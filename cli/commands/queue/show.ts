import type { Command } from 'commander';
import { DavitError } from '../../../domain/errors.js';
import type { Api } from '../../../client/index.js';
import { addConnectOptions, connect } from '../../connect.js';
import type { Connected, ConnectOptions } from '../../connect.js';
import { Output } from '../../output/output.js';
import { everyPage } from '../../pages.js';
import { queueWords } from '../../queue-words.js';
import { qualified } from '../../references.js';

export function defineQueueShow(command: Command): void {
  addConnectOptions(command.argument('<name>', 'queue, or entity/queue'))
    .description('show a queue: its depth, its agents, its limits, who paused it and why')
    .option('--json', 'as JSON')
    .action(async (name: string, options: ConnectOptions & { json?: boolean }) => {
      const api = connect(options);
      const { entity, name: queue } = await qualified(name, api);
      const found = await queueOf(api, entity, queue);
      const out = new Output(options.json === true);
      const agents = out.json ? [] : await agentsOf(api, found);
      out.result(found, () => queueWords(found, agents, out));
    });
}

export const queueOf = async (api: Connected, entity: string, queue: string): Promise<Api<'Queue'>> =>
  (await queueAndEtag(api, entity, queue)).queue;

/** `etag`: what a change that builds on the queue's present settings sends as If-Match. */
export async function queueAndEtag(
  api: Connected,
  entity: string,
  name: string,
): Promise<{ queue: Api<'Queue'>; etag: string | null }> {
  const path = { entity, queue: name };
  const { data, response } = await api.client.GET('/queues/{entity}/{queue}', { params: { path } });
  if (data === undefined) throw new DavitError('internal', 'The API answered without a body.');
  return { queue: data, etag: response.headers.get('etag') };
}

/** Agents that serve a queue or would, if they were not drained, stopped or quarantined. */
export async function agentsOf(api: Connected, queue: Api<'Queue'>): Promise<Api<'Agent'>[]> {
  const all = await everyPage<Api<'Agent'>>(
    async (cursor) =>
      (await api.client.GET('/agents', { params: { query: { entity: queue.entity, ...cursor } } })).data,
  );
  return all.filter(({ queues }) => queues.includes(`${queue.entity}/${queue.name}`));
}
