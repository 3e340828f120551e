/** Collections: sequences, which versions are logged to, and portfolios, which they are linked into. */
export const artifactCollectionDefs = /* GraphQL */ `
  interface ArtifactCollection {
    id: ID!
    name: String!
    description: String
    state: ArtifactCollectionState!
    createdAt: DateTime!
    updatedAt: DateTime
    project: Project
    defaultArtifactType: ArtifactType!
    tags(after: String, first: Int): TagConnection!
    aliases(after: String, first: Int): ArtifactAliasConnection!
    artifacts(after: String, first: Int, order: String, filters: JSONString): VersionedArtifactConnection!
    "By alias or vN."
    artifactMembership(aliasName: String!): ArtifactCollectionMembership
  }
  type ArtifactSequence implements ArtifactCollection {
    id: ID!
    name: String!
    description: String
    state: ArtifactCollectionState!
    createdAt: DateTime!
    updatedAt: DateTime
    project: Project
    defaultArtifactType: ArtifactType!
    tags(after: String, first: Int): TagConnection!
    aliases(after: String, first: Int): ArtifactAliasConnection!
    artifacts(after: String, first: Int, order: String, filters: JSONString): VersionedArtifactConnection!
    artifactMembership(aliasName: String!): ArtifactCollectionMembership
    "The newest committed version."
    latestArtifact: Artifact
    digestAlgorithm: ArtifactDigestAlgorithm
  }
  type ArtifactPortfolio implements ArtifactCollection {
    id: ID!
    name: String!
    description: String
    state: ArtifactCollectionState!
    createdAt: DateTime!
    updatedAt: DateTime
    project: Project
    defaultArtifactType: ArtifactType!
    tags(after: String, first: Int): TagConnection!
    aliases(after: String, first: Int): ArtifactAliasConnection!
    artifacts(after: String, first: Int, order: String, filters: JSONString): VersionedArtifactConnection!
    artifactMembership(aliasName: String!): ArtifactCollectionMembership
  }
  enum ArtifactCollectionState {
    READY
    DELETED
  }

  type ArtifactCollectionConnection {
    edges: [ArtifactCollectionEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type ArtifactCollectionEdge {
    node: ArtifactCollection!
    cursor: String!
  }

  "The place of a version in a collection."
  type ArtifactCollectionMembership {
    id: ID!
    versionIndex: Int
    createdAt: DateTime!
    aliases: [ArtifactAlias!]!
    artifactCollection: ArtifactCollection
    artifact: Artifact
    files(names: [String!], after: String, first: Int): FileConnection!
  }
  type ArtifactCollectionMembershipConnection {
    edges: [ArtifactCollectionMembershipEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type ArtifactCollectionMembershipEdge {
    node: ArtifactCollectionMembership!
    cursor: String!
  }

  type ArtifactType {
    id: ID!
    name: String!
    description: String
    createdAt: DateTime!
    artifact(name: String!): Artifact
    artifactCollection(name: String!): ArtifactCollection
    "Old name of artifactCollection, for those that versions are logged to."
    artifactSequence(name: String!): ArtifactSequence
    artifactCollections(after: String, first: Int, filters: JSONString, order: String): ArtifactCollectionConnection!
  }
  type ArtifactTypeConnection {
    edges: [ArtifactTypeEdge!]!
    pageInfo: PageInfo!
  }
  type ArtifactTypeEdge {
    node: ArtifactType!
    cursor: String!
  }
`;
