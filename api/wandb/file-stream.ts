import type { RequestHandler } from 'express';
import { DavitError } from '../../domain/errors.js';
import { foldAfter } from '../../store/metric-fold.js';
import { markRunFilesUploaded } from '../../store/run-files.js';
import type { Masks } from '../../domain/masking.js';
import { isConsoleFile, maskRunFile } from '../../store/mask-run-file.js';
import { applyStream, type StreamMessage } from '../../store/run-stream.js';
import { keyReachesProject, requireOwnLaunch, requireWriter, visibleEntity, type Context } from './context.js';
import type { WandbDeps } from './deps.js';
import { launchMasks } from './launch-masks.js';
import { contextOf } from './request-context.js';
import { readStreamBody } from './stream-message.js';

/**
 * What a run logs: history, system events, console, summary, signs of life, its end. A status that the client does not retry ends its
 * stream for good and loses the rest of the run, so only what can never succeed gets one.
 */
export function fileStream(deps: WandbDeps): RequestHandler {
  return async (req, res) => {
    const context = contextOf(req, deps);
    const { entity, project, run } = req.params as Record<string, string>;
    const { message, uploaded } = readStreamBody(req.body);
    const { id: runId, launch_id } = await writableRun(context, entity ?? '', project ?? '', run ?? '');
    const hasConsole = message.lines.some(({ file }) => file === 'log') || uploaded.some(isConsoleFile);
    const masks = launch_id !== null && hasConsole ? await launchMasks(deps.db, deps.keyring, launch_id) : undefined;
    const { writer } = context.request;
    const answer = await applyStream(deps.db, runId, {
      ...message,
      ...(masks === undefined ? {} : { lines: message.lines.map((part) => maskedConsole(part, masks)) }),
      ...(writer === undefined ? {} : { writer }),
      derivesSummary: req.get('x-wandb-server-side-derived-summary') === 'true',
    });
    if (!answer) throw new DavitError('not-found', `The run "${entity}/${project}/${run}" was deleted.`);
    // Behind the acknowledged: what is not folded now is folded by the next request or reader.
    await foldAfter(deps.db, runId, message).catch((error: unknown) => {
      deps.log.warn({ err: error, runId }, 'metrics of a run were not folded; the next request tries again');
    });
    if (uploaded.length > 0) await markRunFilesUploaded(deps.db, deps.blobs, runId, uploaded);
    if (masks?.hasSecrets === true)
      for (const name of uploaded.filter(isConsoleFile)) await maskRunFile(deps.db, deps.blobs, runId, name, masks);
    res.json(answer.stopped ? { stopped: true } : {});
  };
}

async function writableRun(context: Context, entityName: string, projectName: string, runName: string) {
  const entity = await visibleEntity(context, entityName);
  const row =
    entity &&
    (await context.db
      .selectFrom('run')
      .innerJoin('project', 'project.id', 'run.project_id')
      .select(['run.id', 'run.name', 'run.project_id', 'run.launch_id'])
      .where('project.entity_id', '=', entity.id)
      .where('project.name', '=', projectName)
      .where('run.name', '=', runName)
      .executeTakeFirst());
  if (!row || !(await keyReachesProject(context, row.project_id)))
    throw new DavitError(
      'not-found',
      `There is no run "${entityName}/${projectName}/${runName}" that this key may write to.`,
    );
  requireWriter(entity.role, 'Logging to a run');
  requireOwnLaunch(context, row);
  return row;
}

/** A job that prints a secret prints it into the console of its run too. */
const maskedConsole = (part: StreamMessage['lines'][number], masks: Masks): StreamMessage['lines'][number] =>
  part.file === 'log' ? { ...part, lines: part.lines.map((line) => masks.text(line)) } : part;
