import { artifactNameProblem, isVersionAlias } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import { projectNameProblem } from '../../../domain/run-name.js';
import { unlinkVersion } from '../../../store/artifact-edit.js';
import { linkVersion } from '../../../store/artifact-link.js';
import { versionsByClientId, type VersionRow } from '../../../store/artifact-versions.js';
import { audit } from '../../../store/audit.js';
import { inTransaction } from '../../../store/transaction.js';
import { requireWriter, writableProject, type Context } from '../context.js';
import { refuseNames, versionSubject } from './artifact-edit.js';
import { forgetLoaded, requireCollection, requireVersion, visibleVersion } from './artifact-scope.js';

/** Links: a version gets a place in a portfolio of the same or of another project. */

interface LinkInput {
  artifactID?: string | null;
  clientID?: string | null;
  artifactPortfolioID?: string | null;
  artifactPortfolioName?: string | null;
  entityName?: string | null;
  projectName?: string | null;
  aliases?: { alias: string }[] | null;
}

export const artifactLinkResolvers = {
  Mutation: { linkArtifact, unlinkArtifact },
};

async function linkArtifact(_: unknown, { input }: { input: LinkInput }, context: Context) {
  const { db, actor } = context;
  const version = await versionToLink(context, input);
  const aliases = (input.aliases ?? []).map((one) => one.alias).filter((alias) => !isVersionAlias(alias));
  refuseNames('alias', aliases);
  const target = await portfolioToLinkTo(context, input);
  const place = await inTransaction(db, async (tx) => {
    const linked = await linkVersion(tx, version, { ...target, aliases });
    await audit(tx, {
      actor: actor.name,
      action: 'artifact.link',
      subject: versionSubject(version),
      data: { to: `${target.path}:v${linked.version_index}` },
    });
    return linked;
  });
  forgetLoaded(context);
  return { versionIndex: place.version_index, artifactMembership: place };
}

async function versionToLink(context: Context, input: LinkInput): Promise<VersionRow> {
  if (input.artifactID) return requireVersion(context, input.artifactID);
  if (!input.clientID) throw new DavitError('invalid-request', 'A link needs an artifactID or a clientID.');
  for (const row of await versionsByClientId(context.db, input.clientID)) {
    const seen = await visibleVersion(context, row);
    if (seen) return seen;
  }
  throw new DavitError('not-found', 'There is no artifact of this clientID that this key may see.');
}

async function portfolioToLinkTo(
  context: Context,
  input: LinkInput,
): Promise<{ projectId: number; portfolio: string; path: string }> {
  if (input.artifactPortfolioID) {
    const { collection, scope } = await requireCollection(context, input.artifactPortfolioID);
    requireWriter(scope.role, 'Linking an artifact');
    return {
      projectId: scope.id,
      portfolio: collection.name,
      path: `${scope.entityName}/${scope.name}/${collection.name}`,
    };
  }
  const portfolio = input.artifactPortfolioName ?? '';
  const projectName = input.projectName ?? '';
  const problem = artifactNameProblem('collection', portfolio) ?? projectNameProblem(projectName);
  if (problem) throw new DavitError('invalid-request', problem);
  const scope = await writableProject(context, input.entityName, projectName);
  return { projectId: scope.id, portfolio, path: `${scope.entityName}/${scope.name}/${portfolio}` };
}

async function unlinkArtifact(
  _: unknown,
  { input }: { input: { artifactID: string; artifactPortfolioID: string } },
  context: Context,
) {
  const { db, actor } = context;
  const version = await requireVersion(context, input.artifactID);
  const { collection, scope } = await requireCollection(context, input.artifactPortfolioID);
  requireWriter(scope.role, 'Unlinking an artifact');
  if (collection.kind !== 'PORTFOLIO')
    throw new DavitError(
      'conflict',
      `"${collection.name}" is where this version was logged, not where it was linked to. To delete it, name it by its version (":v${version.version_index ?? 0}") and delete it there.`,
    );
  const success = await inTransaction(db, async (tx) => {
    const done = await unlinkVersion(tx, version.id, collection.id);
    if (done)
      await audit(tx, {
        actor: actor.name,
        action: 'artifact.unlink',
        subject: versionSubject(version),
        data: { from: `${scope.entityName}/${scope.name}/${collection.name}` },
      });
    return done;
  });
  forgetLoaded(context);
  return { artifactID: input.artifactID, success };
}
