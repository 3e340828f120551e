import { audit } from '../../../store/audit.js';
import { saveAlert } from '../../../store/run-alerts.js';
import { saveChart } from '../../../store/custom-charts.js';
import { DavitError } from '../../../domain/errors.js';
import { requireWriter, visibleEntity, type Context } from '../context.js';
import { runSubject } from './run-ends.js';
import { runToWrite } from './run-mutations.js';

/** What a run tells people beside its metrics. */
export const runAlertMutations = { Mutation: { notifyScriptableRunAlert, createCustomChart } };

interface AlertInput {
  entityName: string;
  projectName: string;
  runName: string;
  title: string;
  text: string;
  severity?: string | null;
  waitDuration?: number | null;
}

/** Kept with the run and in the audit trail; one with the same title that comes within its waiting time is taken for the same. */
async function notifyScriptableRunAlert(_: unknown, { input }: { input: AlertInput }, context: Context) {
  const run = await runToWrite(context, input.entityName, input.projectName, input.runName, 'Sending an alert');
  const alert = { title: input.title, text: input.text, severity: input.severity ?? 'INFO' };
  await context.db.transaction().execute(async (tx) => {
    const saved = await saveAlert(tx, run.id, alert, input.waitDuration ?? 0);
    if (saved)
      await audit(tx, { actor: context.actor.name, action: 'run.alert', subject: runSubject(run), data: { ...saved } });
  });
  return { success: true };
}

interface ChartInput {
  entity: string;
  name: string;
  displayName?: string | null;
  type?: string | null;
  access?: string | null;
  spec?: string | null;
}

/** The Vega specification of a chart that scripts refer to by `entity/name`. */
async function createCustomChart(_: unknown, { input }: { input: ChartInput }, context: Context) {
  const entity = await visibleEntity(context, input.entity);
  if (!entity)
    throw new DavitError('not-found', `There is no entity "${input.entity.slice(0, 200)}" that this key may see.`);
  requireWriter(entity.role, 'Making a chart');
  if (context.actor.kind === 'run') throw new DavitError('forbidden', "A launch's key makes no charts for an entity.");
  const id = await context.db.transaction().execute(async (tx) => {
    const saved = await saveChart(tx, {
      entityId: entity.id,
      name: input.name,
      displayName: input.displayName ?? input.name,
      type: input.type ?? '',
      access: input.access ?? '',
      spec: input.spec ?? '{}',
      createdBy: context.actor.name,
    });
    if (saved.changed)
      await audit(tx, {
        actor: context.actor.name,
        action: 'chart.create',
        subject: `chart/${entity.name}/${input.name.slice(0, 200)}`,
      });
    return saved.id;
  });
  return { chart: { id: Buffer.from(`CustomChart:${id}`).toString('base64') } };
}
