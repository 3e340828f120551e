import { createHash, randomBytes } from 'node:crypto';
import { manifestDigest } from '../../../domain/digests.js';
import type { TrackingApi } from '../../support/tracking-api.js';

/** What a client sends to write a version, step by step, so that a test can stop, repeat or spoil any of them. */

export const md5 = (text: string | Buffer): string => createHash('md5').update(text).digest('base64');

export interface Created {
  id: string;
  state: string;
  latest: string | null;
}

export function artifactWriter(api: TrackingApi, at: { entity?: string; project?: string; key?: string } = {}) {
  const entity = at.entity ?? 'ada';
  const project = at.project ?? 'demo';
  const ask = async <T>(query: string, variables: Record<string, unknown>): Promise<T> => {
    const { data, errors } = await api.graphql<T>(query, variables, at.key);
    if (errors) throw new Error(errors.map((error) => error.message).join('; '));
    return data;
  };

  async function create(input: Record<string, unknown>): Promise<Created> {
    const { createArtifact } = await ask<{
      createArtifact: {
        artifact: { id: string; state: string; artifactSequence: { latestArtifact: { id: string } | null } };
      };
    }>(
      `mutation CreateArtifact($input: CreateArtifactInput!) { createArtifact(input: $input) {
        artifact { id state artifactSequence { latestArtifact { id } } } } }`,
      {
        input: {
          artifactTypeName: 'dataset',
          artifactCollectionName: 'set',
          entityName: entity,
          projectName: project,
          runName: null,
          digest: '',
          aliases: [{ alias: 'latest', artifactCollectionName: 'set' }],
          clientID: randomBytes(64).toString('hex'),
          enableDigestDeduplication: true,
          ...input,
        },
      },
    );
    const { id, state, artifactSequence } = createArtifact.artifact;
    return { id, state, latest: artifactSequence.latestArtifact?.id ?? null };
  }

  async function announce(artifactID: string, files: readonly { name: string; md5: string; parts?: string[] }[]) {
    const { createArtifactFiles } = await ask<{
      createArtifactFiles: { files: { edges: { node: FileNode }[] } };
    }>(
      `mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { files { edges { node {
        storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } } artifact { id } } } } } }`,
      {
        input: {
          storageLayout: 'V2',
          artifactFiles: files.map(({ name, md5: digest, parts }) => ({
            artifactID,
            artifactManifestID: null,
            name,
            md5: digest,
            uploadPartsInput: parts?.map((hexMD5, index) => ({ partNumber: index + 1, hexMD5 })) ?? null,
          })),
        },
      },
    );
    return createArtifactFiles.files.edges.map((edge) => edge.node);
  }

  async function manifest(
    artifactID: string,
    digest: string,
    options: { type?: string; baseArtifactID?: string | null } = {},
  ) {
    const { createArtifactManifest } = await ask<{
      createArtifactManifest: {
        artifactManifest: { id: string; file: { uploadUrl: string; uploadHeaders: string[] } };
      };
    }>(
      `mutation CreateArtifactManifest($artifactID: ID!, $baseArtifactID: ID, $digest: String!, $type: ArtifactManifestType!) {
        createArtifactManifest(input: { artifactID: $artifactID, baseArtifactID: $baseArtifactID, name: "wandb_manifest.json",
          digest: $digest, entityName: "", projectName: "", runName: "", type: $type }) {
          artifactManifest { id file { id uploadUrl uploadHeaders } } } }`,
      { artifactID, digest, type: options.type ?? 'FULL', baseArtifactID: options.baseArtifactID ?? null },
    );
    return createArtifactManifest.artifactManifest;
  }

  const commit = async (artifactID: string) =>
    (
      await ask<{ commitArtifact: { artifact: { id: string; digest: string } } }>(
        `mutation CommitArtifact($artifactID: ID!) { commitArtifact(input: { artifactID: $artifactID }) { artifact { id digest } } }`,
        { artifactID },
      )
    ).commitArtifact.artifact;

  const upload = (url: string, body: string | Buffer, headers: readonly string[] = []) =>
    fetch(url, {
      method: 'PUT',
      body: body as BodyInit,
      headers: Object.fromEntries(
        headers.map((header) => [header.slice(0, header.indexOf(':')), header.slice(header.indexOf(':') + 1)]),
      ),
    });

  /** The manifest of a version whose files are all its own. */
  const manifestOf = (artifactID: string, files: Record<string, string>): string =>
    JSON.stringify({
      version: 1,
      storagePolicy: 'wandb-storage-policy-v1',
      storagePolicyConfig: { storageLayout: 'V2' },
      contents: Object.fromEntries(
        Object.entries(files).map(([path, text]) => [
          path,
          { digest: md5(text), size: Buffer.byteLength(text), birthArtifactID: artifactID },
        ]),
      ),
    });

  async function uploadManifest(artifactID: string, text: string, options: Parameters<typeof manifest>[2] = {}) {
    const { file } = await manifest(artifactID, md5(text), options);
    const answer = await upload(file.uploadUrl, text, file.uploadHeaders);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }

  async function uploadFiles(artifactID: string, files: Record<string, string>) {
    const nodes = await announce(
      artifactID,
      Object.entries(files).map(([name, text]) => ({ name, md5: md5(text) })),
    );
    for (const [index, text] of Object.values(files).entries()) {
      const node = nodes[index];
      if (!node?.uploadUrl) continue;
      const answer = await upload(node.uploadUrl, text, node.uploadHeaders);
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    }
    return nodes;
  }

  const digestOf = (files: Record<string, string>): string =>
    manifestDigest(Object.entries(files).map(([path, text]) => ({ path, md5: md5(text) })));

  return {
    ask,
    create,
    announce,
    manifest,
    commit,
    upload,
    manifestOf,
    uploadManifest,
    uploadFiles,
    digestOf,
    /** All of it. */
    async log(files: Record<string, string>, input: Record<string, unknown> = {}): Promise<Created> {
      const made = await create({ digest: digestOf(files), ...input });
      if (made.state === 'COMMITTED') return made;
      await uploadFiles(made.id, files);
      await uploadManifest(made.id, manifestOf(made.id, files));
      await commit(made.id);
      return made;
    },
    /** `name:alias` as a reader sees it. */
    read: async (name: string) =>
      (
        await ask<{
          project: {
            artifact: {
              id: string;
              versionIndex: number;
              state: string;
              digest: string;
              size: number;
              fileCount: number;
              currentManifest: { file: { directUrl: string } };
              files: { edges: { node: { name: string; directUrl: string } }[] };
            } | null;
          } | null;
        }>(
          `query($entity: String!, $project: String!, $name: String!) { project(entityName: $entity, name: $project) { artifact(name: $name) {
            id versionIndex state digest size fileCount currentManifest { file { directUrl } }
            files(first: 100) { edges { node { name directUrl } } } } } }`,
          { entity, project, name },
        )
      ).project?.artifact ?? null,
  };
}

interface FileNode {
  storagePath: string;
  uploadUrl: string | null;
  uploadHeaders: string[];
  uploadMultipartUrls: { uploadID: string; uploadUrlParts: { partNumber: number; uploadUrl: string }[] } | null;
  artifact: { id: string };
}
