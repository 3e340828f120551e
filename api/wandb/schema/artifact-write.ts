/** How versions are made: announced, uploaded, committed, used. */
export const artifactWriteDefs = /* GraphQL */ `
  extend type Query {
    "The version that a client knows by an id of its own."
    clientIDMapping(clientID: ID!): ClientIDMapping
  }
  type ClientIDMapping {
    serverID: ID!
  }

  extend type Mutation {
    createArtifact(input: CreateArtifactInput!): CreateArtifactPayload
    createArtifactType(input: CreateArtifactTypeInput!): CreateArtifactTypePayload
    createArtifactManifest(input: CreateArtifactManifestInput!): ArtifactManifestPayload
    updateArtifactManifest(input: UpdateArtifactManifestInput!): ArtifactManifestPayload
    createArtifactFiles(input: CreateArtifactFilesInput!): CreateArtifactFilesPayload
    completeMultipartUploadArtifact(
      input: CompleteMultipartUploadArtifactInput!
    ): CompleteMultipartUploadArtifactPayload
    commitArtifact(input: CommitArtifactInput!): CommitArtifactPayload
    useArtifact(input: UseArtifactInput!): UseArtifactPayload
  }

  enum ArtifactManifestType {
    FULL
    INCREMENTAL
    PATCH
  }

  input CreateArtifactInput {
    artifactTypeName: String!
    "One of the two: the collection that the version is logged to."
    artifactCollectionName: String
    artifactCollectionNames: [String!]
    entityName: String
    projectName: String
    runName: String
    digest: String!
    digestAlgorithm: ArtifactDigestAlgorithm
    description: String
    metadata: JSONString
    labels: JSONString
    aliases: [ArtifactAliasInput!]
    tags: [TagInput!]
    clientID: ID
    sequenceClientID: ID
    distributedID: String
    enableDigestDeduplication: Boolean
    historyStep: Int64
    storageRegion: String
    ttlDurationSeconds: Int64
    clientMutationId: String
  }
  type CreateArtifactPayload {
    artifact: Artifact!
    clientMutationId: String
  }

  "Types are made when something is logged to them; this only says that it would be."
  input CreateArtifactTypeInput {
    entityName: String!
    projectName: String!
    name: String!
    description: String
    clientMutationId: String
  }
  type CreateArtifactTypePayload {
    artifactType: ArtifactType!
    clientMutationId: String
  }

  input CreateArtifactManifestInput {
    artifactID: ID!
    baseArtifactID: ID
    name: String!
    digest: String!
    entityName: String!
    projectName: String!
    runName: String!
    type: ArtifactManifestType
    clientMutationId: String
  }
  input UpdateArtifactManifestInput {
    artifactManifestID: ID!
    digest: String
    baseArtifactID: ID
    clientMutationId: String
  }
  type ArtifactManifestPayload {
    artifactManifest: ArtifactManifest!
    clientMutationId: String
  }

  input UploadPartsInput {
    partNumber: Int64!
    hexMD5: String!
  }
  input CreateArtifactFileSpecInput {
    artifactID: ID!
    artifactManifestID: ID
    name: String!
    "Base64."
    md5: String!
    digest: String
    mimetype: String
    uploadPartsInput: [UploadPartsInput!]
  }
  input CreateArtifactFilesInput {
    artifactFiles: [CreateArtifactFileSpecInput!]!
    storageLayout: ArtifactStorageLayout
    cloudRegionID: String
    digestAlgorithm: ArtifactDigestAlgorithm
    clientMutationId: String
  }
  type CreateArtifactFilesPayload {
    "One for each file that was asked for, in the same order."
    files: FileConnection!
    clientMutationId: String
  }
  extend type File {
    "Headers to send with the upload, each 'Name:value'."
    uploadHeaders: [String!]
    uploadMultipartUrls: UploadMultipartUrls
    "Of files of artifacts: the version that they are uploaded for."
    artifact: Artifact
  }
  type UploadMultipartUrls {
    uploadID: String!
    uploadUrlParts: [UploadUrlPart!]!
  }
  type UploadUrlPart {
    partNumber: Int64!
    uploadUrl: String!
  }

  enum CompleteMultipartAction {
    Complete
  }
  input CompleteMultipartUploadArtifactInput {
    completeMultipartAction: CompleteMultipartAction!
    "hexMD5 carries the ETag."
    completedParts: [UploadPartsInput!]!
    artifactID: ID!
    storagePath: String!
    uploadID: String!
    clientMutationId: String
  }
  type CompleteMultipartUploadArtifactPayload {
    digest: String
    clientMutationId: String
  }

  input CommitArtifactInput {
    artifactID: ID!
    clientMutationId: String
  }
  type CommitArtifactPayload {
    artifact: Artifact!
    clientMutationId: String
  }

  input UseArtifactInput {
    artifactID: ID!
    entityName: String!
    projectName: String!
    runName: String!
    usedAs: String
    artifactEntityName: String
    artifactProjectName: String
    clientMutationId: String
  }
  type UseArtifactPayload {
    artifact: Artifact!
    clientMutationId: String
  }
`;
