/** Registries, and the organizations that clients look for them in. */
export const registryDefs = /* GraphQL */ `
  extend type Organization {
    orgEntity: Entity
    advancedRegistryFeatures: AdvancedRegistryFeatures
  }
  type AdvancedRegistryFeatures {
    "Versions in registries can be ordered, and filtered by size and by when they were linked."
    advancedSearch: Boolean!
  }
  extend type User {
    "One's own only: the entity of the user, and its teams."
    organizations: [Organization!]!
  }
  enum ArtifactCollectionType {
    SEQUENCE
    PORTFOLIO
  }
  extend type Entity {
    "Whose entity it is; of one's own only."
    user: User
    project(name: String): Project
    "Registries only."
    projects(filters: JSONString, after: String, first: Int, order: String): ProjectConnection!
    "Of registries only."
    artifactCollections(
      projectFilters: JSONString
      filters: JSONString
      collectionTypes: [ArtifactCollectionType!]
      after: String
      first: Int
      order: String
    ): ArtifactCollectionConnection!
    "What is linked into registries."
    artifactMemberships(
      projectFilters: JSONString
      collectionFilters: JSONString
      filters: JSONString
      after: String
      first: Int
      order: String
    ): ArtifactCollectionMembershipConnection!
  }
  extend type Project {
    updatedAt: DateTime
    "False: those of artifactTypes(includeAll: true)."
    allowAllArtifactTypesInRegistry: Boolean!
    "An error: registries have no members of their own."
    members: [ProjectMember!]
    "An error: registries have no members of their own."
    teamMembers: [ProjectTeamMember!]
  }
  type ProjectMember {
    id: ID!
    name: String
    username: String
    email: String
    role: ProjectRole
  }
  type ProjectTeamMember {
    team: Entity
    role: ProjectRole
  }
  type ProjectRole {
    name: String!
  }

  extend type Mutation {
    renameProject(input: RenameProjectInput!): RenameProjectPayload
    deleteModel(input: DeleteModelInput!): DeleteModelPayload
    createProjectMembers(input: CreateProjectMembersInput!): SuccessPayload
    deleteProjectMembers(input: DeleteProjectMembersInput!): SuccessPayload
    updateProjectMember(input: UpdateProjectMemberInput!): SuccessPayload
    updateProjectTeamMember(input: UpdateProjectTeamMemberInput!): SuccessPayload
  }
  input ArtifactTypeInput {
    name: String!
    description: String
  }
  input RenameProjectInput {
    entityName: String!
    oldProjectName: String!
    newProjectName: String!
    clientMutationId: String
  }
  type RenameProjectPayload {
    project: Project
    inserted: Boolean
    clientMutationId: String
  }
  input DeleteModelInput {
    id: String!
    clientMutationId: String
  }
  type DeleteModelPayload {
    success: Boolean
    clientMutationId: String
  }
  input CreateProjectMembersInput {
    projectId: ID!
    teamIds: [ID!]
    userIds: [ID!]
    clientMutationId: String
  }
  input DeleteProjectMembersInput {
    projectId: ID!
    teamIds: [ID!]
    userIds: [ID!]
    clientMutationId: String
  }
  input UpdateProjectMemberInput {
    projectId: ID!
    userId: ID!
    userProjectRole: String!
    clientMutationId: String
  }
  input UpdateProjectTeamMemberInput {
    projectId: ID!
    teamId: ID!
    teamProjectRole: String!
    clientMutationId: String
  }
`;
