import { artifactNameProblem, isRegistryName } from '../../../domain/artifact-names.js';
import { DavitError } from '../../../domain/errors.js';
import { projectNameProblem } from '../../../domain/run-name.js';
import { roleIncludes } from '../../../domain/words.js';
import { audit } from '../../../store/audit.js';
import { changeRegistry, deleteRegistry, renameRegistry } from '../../../store/registries.js';
import { requireWriter, visibleProject, type Context, type ProjectScope } from '../context.js';
import { parseProjectGlobalId } from '../ids.js';
import { forgetLoaded } from './artifact-scope.js';

/** Changes to registries. They are made by upsertModel, as every project is. */

/** For whatever asks for members of a registry or changes them. */
export function noMembers(): never {
  throw new DavitError(
    'invalid-request',
    'A registry has no members of its own here: whoever belongs to its entity sees it, with the role that it has there. Members of a team are chosen by wandb.Api().team(name).invite(user).',
  );
}

export const registryMutations = {
  renameProject,
  deleteModel,
  createProjectMembers: noMembers,
  deleteProjectMembers: noMembers,
  updateProjectMember: noMembers,
  updateProjectTeamMember: noMembers,
};

export interface RegistryInput {
  description?: string | null;
  access?: string | null;
  allowAllArtifactTypesInRegistry?: boolean | null;
  artifactTypes?: { name: string }[] | null;
}

const mostTypes = 1_000;

/** Before anything is made. */
export function refuseRegistry(name: string, input: RegistryInput): void {
  if (!isRegistryName(name)) return;
  if (input.access && input.access !== 'PRIVATE')
    throw new DavitError(
      'invalid-request',
      'A registry cannot be restricted to some members here: whoever belongs to its entity sees it. Give it the visibility "organization".',
    );
  const types = input.artifactTypes ?? [];
  if (types.length > mostTypes)
    throw new DavitError('invalid-request', `At most ${mostTypes} types are named at once.`);
  for (const type of types) {
    const problem = artifactNameProblem('type', type.name);
    if (problem) throw new DavitError('invalid-request', problem);
  }
}

/** What upsertModel says of a registry beside its name; the project as it is then. */
export async function settleRegistry(
  context: Context,
  project: ProjectScope,
  input: RegistryInput,
): Promise<ProjectScope> {
  const { db, actor } = context;
  const { description, allowAllArtifactTypesInRegistry: anyType } = input;
  const types = (input.artifactTypes ?? []).map(({ name }) => name);
  const changes = {
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof anyType === 'boolean' ? { anyType } : {}),
    types,
  };
  if (Object.keys(changes).length === 1 && types.length === 0) return project;
  await db.transaction().execute(async (tx) => {
    await changeRegistry(tx, project.id, changes);
    await audit(tx, { actor: actor.name, action: 'registry.update', subject: subjectOf(project), data: changes });
  });
  forgetLoaded(context);
  return { ...project, description: changes.description ?? project.description };
}

const subjectOf = (project: ProjectScope) => `project/${project.entityName}/${project.name}`;

async function renameProject(
  _: unknown,
  { input }: { input: { entityName: string; oldProjectName: string; newProjectName: string } },
  context: Context,
) {
  const { db, actor } = context;
  const { oldProjectName: before, newProjectName: name } = input;
  const project = await registryToChange(context, input.entityName, before, 'renamed');
  requireWriter(project.role, 'Renaming a registry');
  const problem = projectNameProblem(name);
  if (problem) throw new DavitError('invalid-request', problem);
  if (!isRegistryName(name))
    throw new DavitError('invalid-request', `The name of a registry's project begins with wandb-registry-.`);
  await db.transaction().execute(async (tx) => {
    await renameRegistry(tx, project.id, name);
    await audit(tx, { actor: actor.name, action: 'registry.rename', subject: subjectOf(project), data: { to: name } });
  });
  forgetLoaded(context);
  return { project: { ...project, name }, inserted: false };
}

async function deleteModel(_: unknown, { input }: { input: { id: string } }, context: Context) {
  const { db, actor } = context;
  const named = parseProjectGlobalId(input.id);
  const project = await registryToChange(context, named?.entity ?? '', named?.name ?? '', 'deleted', input.id);
  if (!roleIncludes(project.role, 'admin'))
    throw new DavitError('forbidden', `Deleting a registry needs the role admin; this key has ${project.role}.`);
  const success = await db.transaction().execute(async (tx) => {
    const done = await deleteRegistry(tx, project.id);
    if (done) await audit(tx, { actor: actor.name, action: 'registry.delete', subject: subjectOf(project) });
    return done;
  });
  forgetLoaded(context);
  return { success };
}

async function registryToChange(
  context: Context,
  entity: string,
  name: string,
  done: string,
  shown = name,
): Promise<ProjectScope> {
  const project = entity === '' ? undefined : await visibleProject(context, entity, name);
  if (!project)
    throw new DavitError('not-found', `There is no project "${shown.slice(0, 200)}" that this key may see.`);
  if (!isRegistryName(project.name))
    throw new DavitError(
      'invalid-request',
      `Only registries are ${done} by this, projects whose names begin with wandb-registry-; "${project.name}" is none.`,
    );
  return project;
}
