import { DavitError } from '../domain/errors.js';
import { DavitApiError } from '../client/index.js';
import type { Api } from '../client/index.js';
import type { Connected } from './connect.js';
import { dryRunWords } from './dry-run-words.js';
import { isFolder } from './folder-job.js';
import { requestForFolder, requestOfImage, requestOfJob } from './launch-request.js';
import type { LaunchOptions, Request, Subject } from './launch-request.js';
import { exitCodes } from './output/exit-codes.js';
import type { Output } from './output/output.js';

/** Asks what would be, and changes nothing: a folder is not uploaded either, its job as it is there now stands for it. */
export async function dryRun(
  subject: Subject,
  args: string[],
  options: LaunchOptions,
  api: Connected,
  out: Output,
): Promise<number> {
  if ('git' in subject)
    throw new DavitError(
      'wrong-usage',
      'A dry run makes no job of a repository: make it first with davit job create git, and try that.',
    );
  const folder = 'word' in subject && isFolder(subject.word) ? subject.word : undefined;
  const request =
    'image' in subject
      ? await requestOfImage(subject.image, args, options, api)
      : folder !== undefined
        ? await requestForFolder(folder, args, options, api)
        : await requestOfJob(subject.word, args, options, api);
  const data = await asked(api, request, folder);
  const notes =
    folder !== undefined
      ? [`The folder was not uploaded: this is about ${request.job}, its last version. A launch uploads what changed.`]
      : [];
  out.result(data, () => dryRunWords(data, out, notes));
  return data.queue.accepts && data.planProblems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

async function asked(api: Connected, body: Request, folder: string | undefined): Promise<Api<'DryRun'>> {
  try {
    const { data } = await api.client.POST('/launches', { params: { query: { dryRun: 'true' } }, body });
    if (data !== undefined && 'dryRun' in data) return data;
  } catch (error) {
    if (folder === undefined || !(error instanceof DavitApiError) || error.code !== 'unknown-job') throw error;
    throw new DavitError(
      'unknown-job',
      `The folder ${folder} has never been uploaded as ${body.job}, and a dry run uploads nothing: make the job first with davit job create ${folder}.`,
    );
  }
  throw new DavitError('internal', 'The API answered something else than a dry run.');
}
