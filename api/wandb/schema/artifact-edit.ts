/** Changes to committed versions and to collections, and links. */
export const artifactEditDefs = /* GraphQL */ `
  extend type Mutation {
    updateArtifact(input: UpdateArtifactInput!): UpdateArtifactPayload
    deleteArtifact(input: DeleteArtifactInput!): DeleteArtifactPayload
    addAliases(input: AddAliasesInput!): SuccessPayload
    deleteAliases(input: DeleteAliasesInput!): SuccessPayload
    linkArtifact(input: LinkArtifactInput!): LinkArtifactPayload
    unlinkArtifact(input: UnlinkArtifactInput!): UnlinkArtifactPayload
    updateArtifactSequence(input: UpdateArtifactSequenceInput!): ArtifactCollectionPayload
    updateArtifactPortfolio(input: UpdateArtifactPortfolioInput!): ArtifactCollectionPayload
    moveArtifactSequence(input: MoveArtifactSequenceInput!): ArtifactCollectionPayload
    deleteArtifactSequence(input: DeleteArtifactSequenceInput!): ArtifactCollectionPayload
    deleteArtifactPortfolio(input: DeleteArtifactPortfolioInput!): ArtifactCollectionPayload
    createArtifactCollectionTagAssignments(
      input: CreateArtifactCollectionTagAssignmentsInput!
    ): CreateArtifactCollectionTagAssignmentsPayload
    deleteArtifactCollectionTagAssignments(input: DeleteArtifactCollectionTagAssignmentsInput!): SuccessPayload
  }

  input ArtifactAliasInput {
    alias: String!
    artifactCollectionName: String!
  }
  input ArtifactCollectionAliasInput {
    alias: String!
    artifactCollectionName: String!
    entityName: String!
    projectName: String!
  }
  input TagInput {
    tagName: String!
    tagCategoryName: String
    attributes: JSONString
  }

  input UpdateArtifactInput {
    artifactID: ID!
    description: String
    metadata: JSONString
    labels: JSONString
    ttlDurationSeconds: Int64
    tagsToAdd: [TagInput!]
    tagsToDelete: [TagInput!]
    "null leaves them, a list replaces those in the named collections."
    aliases: [ArtifactAliasInput!]
    clientMutationId: String
  }
  type UpdateArtifactPayload {
    artifact: Artifact!
    clientMutationId: String
  }
  input DeleteArtifactInput {
    artifactID: ID!
    deleteAliases: Boolean
    clientMutationId: String
  }
  type DeleteArtifactPayload {
    artifact: Artifact!
    clientMutationId: String
  }
  input AddAliasesInput {
    artifactID: ID!
    aliases: [ArtifactCollectionAliasInput!]!
    clientMutationId: String
  }
  input DeleteAliasesInput {
    artifactID: ID!
    aliases: [ArtifactCollectionAliasInput!]!
    clientMutationId: String
  }
  type SuccessPayload {
    success: Boolean!
    clientMutationId: String
  }

  input LinkArtifactInput {
    artifactID: ID
    clientID: ID
    artifactPortfolioID: ID
    artifactPortfolioName: String
    entityName: String
    projectName: String
    aliases: [ArtifactAliasInput!]
    clientMutationId: String
  }
  type LinkArtifactPayload {
    versionIndex: Int
    artifactMembership: ArtifactCollectionMembership
    clientMutationId: String
  }
  input UnlinkArtifactInput {
    artifactID: ID!
    artifactPortfolioID: ID!
    clientMutationId: String
  }
  type UnlinkArtifactPayload {
    artifactID: ID!
    success: Boolean!
    clientMutationId: String
  }

  input UpdateArtifactSequenceInput {
    artifactSequenceID: ID!
    name: String
    description: String
    clientMutationId: String
  }
  input UpdateArtifactPortfolioInput {
    artifactPortfolioID: ID!
    name: String
    description: String
    clientMutationId: String
  }
  input MoveArtifactSequenceInput {
    artifactSequenceID: ID!
    destinationArtifactTypeName: String!
    clientMutationId: String
  }
  input DeleteArtifactSequenceInput {
    artifactSequenceID: ID!
    clientMutationId: String
  }
  input DeleteArtifactPortfolioInput {
    artifactPortfolioID: ID!
    clientMutationId: String
  }
  type ArtifactCollectionPayload {
    artifactCollection: ArtifactCollection!
    clientMutationId: String
  }
  input CreateArtifactCollectionTagAssignmentsInput {
    entityName: String!
    projectName: String!
    artifactCollectionName: String!
    tags: [TagInput!]!
    clientMutationID: String
    clientMutationId: String
  }
  type CreateArtifactCollectionTagAssignmentsPayload {
    tags: [Tag!]!
    clientMutationId: String
  }
  input DeleteArtifactCollectionTagAssignmentsInput {
    entityName: String!
    projectName: String!
    artifactCollectionName: String!
    tags: [TagInput!]!
    clientMutationID: String
    clientMutationId: String
  }
`;
