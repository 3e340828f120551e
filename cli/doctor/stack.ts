import { createDavitClient, DavitApiError } from '../../client/index.js';
import type { Api } from '../../client/index.js';
import { everyPage } from '../pages.js';
import { runningStack } from '../running-stack.js';
import { duration } from '../output/output.js';
import { version } from '../version.js';
import { missing, note, ok, reasonOf } from './check.js';
import type { Check } from './check.js';

/** An agent that is silent for so long is lost. */
const lostAfterMs = 15_000;

/** The embedded stack that runs on the data folder, or the API that the environment names. */
export async function checkStack(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const stack = runningStack(env);
  const url = env['DAVIT_URL'] || stack?.url;
  const apiKey = env['DAVIT_API_KEY'] || stack?.key;
  if (url === undefined || apiKey === undefined)
    return [note('stack', 'none runs on this data folder; davit up starts one')];
  const where = stack !== null && stack.url === url ? `process ${stack.pid}, since ${stack.since}, ` : '';
  const client = createDavitClient({ baseUrl: url, apiKey, timeoutMs: 5_000 });
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`/readyz answers ${answer.status}`);
    const { data: viewer } = await client.GET('/viewer');
    const theirs = viewer?.version ?? 'unknown';
    const checks = [ok('stack', `${where}${url} accepts launches, as ${viewer?.name ?? 'unknown'}`)];
    if (theirs !== version) checks.push(note('versions', `the API is ${theirs}, this command is ${version}`));
    const agents = await everyPage<Api<'Agent'>>(
      async (query) => (await client.GET('/agents', { params: { query } })).data,
    );
    return [...checks, ...agentChecks(agents), ...(await unansweredChecks(client))];
  } catch (error) {
    const fix =
      stack === null
        ? 'Check DAVIT_URL and DAVIT_API_KEY.'
        : `Read the logs in ${stack.home.logs}; davit up restarts what died.`;
    return [missing('stack', `${where}${url} does not serve: ${reasonOf(error)}`, fix)];
  }
}

/** What clients asked for and did not get, for those who may read it. */
async function unansweredChecks(client: ReturnType<typeof createDavitClient>): Promise<Check[]> {
  try {
    const { data } = await client.GET('/unanswered');
    const items = data?.items ?? [];
    const shown = items.slice(0, 20).map((item) => {
      const where = item.operation === '' ? '' : ` in ${item.operation}`;
      const times = item.count === 1 ? 'once' : `${item.count} times`;
      return note(
        'unanswered',
        `${item.kind} ${item.name}${where}: ${times}, last ${item.lastAt}${item.client === '' ? '' : ` by ${item.client}`}`,
      );
    });
    const more = items.length - shown.length;
    return more > 0 ? [...shown, note('unanswered', `and ${more} more: GET /api/v1/unanswered`)] : shown;
  } catch (error) {
    // Not a site admin, or an API of before.
    if (error instanceof DavitApiError && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}

function agentChecks(agents: readonly Api<'Agent'>[]): Check[] {
  if (agents.length === 0) return [note('agents', 'none: launches wait until one runs')];
  return agents.flatMap((agent) => {
    const name = `agent ${agent.name}`;
    if (agent.status === 'stopped') return [note(name, 'stopped')];
    const heard = `heard ${duration(Math.round(agent.heartbeatAgeMs / 1000))} ago`;
    if (agent.heartbeatAgeMs > lostAfterMs)
      return [missing(name, `${agent.status}, but ${heard}`, 'Start it again; its running jobs are adopted.')];
    const targets = Object.entries(agent.targets).map(([target, { ok: can, details }]) =>
      can
        ? ok(`target ${target}`, details[0] ?? 'can run jobs')
        : missing(`target ${target}`, details.join(' '), `Look at the agent ${agent.name} on ${agent.host}.`),
    );
    return [
      ok(
        name,
        `${agent.status}, ${heard}, runs ${agent.launches.length} of ${agent.maxJobs}, version ${agent.version}`,
      ),
      ...targets,
    ];
  });
}
