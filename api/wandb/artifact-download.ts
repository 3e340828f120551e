import type { RequestHandler } from 'express';
import { DavitError } from '../../domain/errors.js';
import { bytesBornIn, bytesIn, bytesInProjects } from '../../store/artifact-entries.js';
import { collectionNamed } from '../../store/artifact-lists.js';
import { projectsOfEntity } from '../../store/projects.js';
import { keyReachesProject, visibleEntity, visibleProject, type Context } from './context.js';
import { wandbLimits, type WandbDeps } from './deps.js';
import { artifactIdOf } from './ids.js';
import { contextOf } from './request-context.js';

/**
 * One file of an artifact by its digest, for clients that have no signed address (or an old one):
 *
 *   /artifactsV2/{region}/{entity}/{project}/{collection}/{artifact id}/{birth artifact id}/{hex MD5}/{name}
 *   /artifactsV2/{region}/{entity}/{project}/{collection}/{birth artifact id}/{hex MD5}/{name}
 *   /artifactsV2/{region}/{entity}/{birth artifact id}/{hex MD5}
 *   /artifacts/{entity}/{hex MD5}                                (of manifests with the storage layout V1)
 *
 * Answers with the address of the bytes. Clients do not escape the name, so it is not looked at.
 */
export function artifactDownload(deps: WandbDeps): RequestHandler {
  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD')
      throw new DavitError('invalid-request', 'Files of artifacts are only read at this address.');
    const context = contextOf(req, deps);
    const parts = (req.url.split('?')[0] ?? '').split('/').slice(1);
    const key = await bytesOf(context, parts);
    if (key === undefined)
      throw new DavitError('not-found', 'There is no file of an artifact at this address that this key may see.');
    const { blobs, origin } = context;
    res.redirect(
      302,
      await blobs.downloadUrl(key, {
        expiresInMs: wandbLimits.downloadLinkMs,
        ...(parts.length > 6 ? { fileName: decoded(parts.at(-1)) ?? 'file' } : {}),
        origin,
      }),
    );
  };
}

async function bytesOf(context: Context, parts: string[]): Promise<string | undefined> {
  const [, entity, project, collection] = parts.map(decoded);
  if (parts.length === 8)
    return inCollection(context, { entity, project, collection, version: parts[4], hex: parts[6] });
  if (parts.length === 7) return inCollection(context, { entity, project, collection, hex: parts[5] });
  if (parts.length === 2) return inEntity(context, { entity: decoded(parts[0]), hex: parts[1] });
  return parts.length === 4 ? inEntity(context, { entity, birth: parts[2], hex: parts[3] }) : undefined;
}

async function inCollection(
  context: Context,
  at: {
    entity: string | undefined;
    project: string | undefined;
    collection: string | undefined;
    version?: string | undefined;
    hex: string | undefined;
  },
): Promise<string | undefined> {
  const md5 = digestOf(at.hex);
  const scope = at.entity ? await visibleProject(context, at.entity, at.project) : undefined;
  const collection = scope && at.collection ? await collectionNamed(context.db, scope.id, at.collection) : undefined;
  if (!collection || md5 === undefined) return undefined;
  const id = at.version === undefined ? undefined : artifactIdOf(decoded(at.version) ?? '');
  return bytesIn(context.db, md5, { artifactId: id, collectionIds: [collection.id] });
}

async function inEntity(
  context: Context,
  at: { entity: string | undefined; birth?: string | undefined; hex: string | undefined },
): Promise<string | undefined> {
  const md5 = digestOf(at.hex);
  const entity = at.entity ? await visibleEntity(context, at.entity) : undefined;
  if (!entity || md5 === undefined) return undefined;
  const projectIds: number[] = [];
  for (const id of await projectsOfEntity(context.db, entity.id))
    if (await keyReachesProject(context, id)) projectIds.push(id);
  if (at.birth === undefined) return bytesInProjects(context.db, md5, projectIds);
  const birth = artifactIdOf(decoded(at.birth) ?? '');
  return birth === undefined ? undefined : bytesBornIn(context.db, md5, { artifactId: birth, projectIds });
}

/** Hex of the raw MD5 → base64, as it is stored. */
const digestOf = (hex: string | undefined): string | undefined =>
  hex !== undefined && /^[0-9a-f]{32}$/i.test(hex) ? Buffer.from(hex, 'hex').toString('base64') : undefined;

function decoded(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
