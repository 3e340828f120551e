/** Versions, their places in collections, their files: what clients read. */
export const artifactReadDefs = /* GraphQL */ `
  extend type Query {
    artifact(id: ID!): Artifact
    artifactCollection(id: ID!): ArtifactCollection
  }

  extend type Project {
    "By 'collection:alias' or 'collection:vN'; without an alias the latest."
    artifact(name: String!, enableTracking: Boolean): Artifact
    artifactCollectionMembership(name: String!): ArtifactCollectionMembership
    artifactType(name: String!): ArtifactType
    artifactTypes(after: String, first: Int, includeAll: Boolean): ArtifactTypeConnection!
    artifactCollection(name: String!): ArtifactCollection
    artifactCollections(after: String, first: Int, filters: JSONString, order: String): ArtifactCollectionConnection!
  }

  extend type Run {
    outputArtifacts(after: String, first: Int): ArtifactConnection!
    inputArtifacts(after: String, first: Int): InputArtifactConnection!
  }

  type Artifact {
    id: ID!
    "Where it was logged."
    artifactSequence: ArtifactSequence!
    artifactType: ArtifactType!
    versionIndex: Int
    description: String
    metadata: JSONString
    labels: JSONString
    "-1: inherited, -2: never."
    ttlDurationSeconds: Int64!
    ttlIsInherited: Boolean!
    tags: [Tag!]!
    historyStep: Int64
    state: ArtifactState!
    size: Int64!
    digest: String!
    digestAlgorithm: ArtifactDigestAlgorithm
    commitHash: String
    "References are counted too."
    fileCount: Int64!
    createdAt: DateTime!
    updatedAt: DateTime
    "In every collection that may be seen; each version has its vN."
    aliases: [ArtifactAlias!]!
    currentManifest: ArtifactManifest
    files(names: [String!], after: String, first: Int): FileConnection!
    filesByManifestEntries(
      entries: [ArtifactManifestEntryInput!]
      "As text: so the client declares it."
      storageLayout: String
      manifestVersion: String
      storageRegion: String
      after: String
      first: Int
    ): FileConnection!
    usedBy(after: String, first: Int): RunConnection!
    createdBy: ArtifactCreator
    "Its place in the sequence, and in every portfolio that it is linked to."
    artifactMemberships(after: String, first: Int): ArtifactCollectionMembershipConnection!
  }
  enum ArtifactState {
    PENDING
    COMMITTED
    DELETED
  }
  enum ArtifactDigestAlgorithm {
    MANIFEST_MD5
    MANIFEST_XXH128
  }
  enum ArtifactStorageLayout {
    V1
    V2
  }
  union ArtifactCreator = Run | User

  type ArtifactManifest {
    id: ID!
    digest: String
    file: File!
  }
  input ArtifactManifestEntryInput {
    name: String!
    digest: String
    birthArtifactID: ID
    ref: String
    size: Int64
  }

  type Tag {
    id: ID!
    name: String!
    tagCategoryName: String
    attributes: JSONString
  }
  type TagConnection {
    edges: [TagEdge!]!
  }
  type TagEdge {
    node: Tag!
    cursor: String!
  }

  type ArtifactAlias {
    id: ID!
    alias: String!
    artifactCollection: ArtifactCollection
  }
  type ArtifactAliasConnection {
    edges: [ArtifactAliasEdge!]!
    pageInfo: PageInfo!
  }
  type ArtifactAliasEdge {
    node: ArtifactAlias!
    cursor: String!
  }

  type ArtifactConnection {
    edges: [ArtifactEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type ArtifactEdge {
    node: Artifact!
    cursor: String!
  }
  type InputArtifactConnection {
    edges: [InputArtifactEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type InputArtifactEdge {
    node: Artifact!
    cursor: String!
  }
  type VersionedArtifactConnection {
    edges: [VersionedArtifactEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type VersionedArtifactEdge {
    node: Artifact!
    "vN in the collection that was asked."
    version: String!
    cursor: String!
  }
`;
