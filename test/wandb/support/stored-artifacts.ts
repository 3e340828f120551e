import { commitArtifact, type ArtifactFile, type CommittedArtifact } from '../../../store/artifacts.js';
import { putContent } from '../../../store/content.js';
import { ensureProject } from '../../../store/projects.js';
import type { TrackingApi } from '../../support/tracking-api.js';

/** Versions without a client: files with these texts, committed at once. */
export async function storeVersion(
  api: Pick<TrackingApi, 'db' | 'blobs'>,
  version: {
    entityId: number;
    project: string;
    collection: string;
    type?: string;
    files: Record<string, string>;
    metadata?: Record<string, unknown>;
    aliases?: string[];
  },
): Promise<CommittedArtifact & { projectId: number }> {
  const project = await ensureProject(api.db, version.entityId, version.project);
  const put = new Map<string, ArtifactFile>();
  const files: ArtifactFile[] = [];
  for (const [path, text] of Object.entries(version.files)) {
    const content = put.get(text) ?? (await putContent(api.blobs, path, Buffer.from(text)));
    put.set(text, content);
    files.push({ ...content, path });
  }
  const committed = await commitArtifact(api.db, {
    projectId: project.id,
    type: version.type ?? 'dataset',
    collection: version.collection,
    files,
    metadata: version.metadata ?? {},
    aliases: version.aliases ?? [],
    createdBy: 'ada',
  });
  return { ...committed, projectId: project.id };
}
