export const teamDefs = /* GraphQL */ `
  extend type Entity {
    available: Boolean
    photoUrl: String
    readOnly: Boolean
    readOnlyAdmin: Boolean
    entityType: String
    privateOnly: Boolean
    storageBytes: Int64
    codeSavingEnabled: Boolean
    defaultAccess: String
    isPaid: Boolean
    limits: JSONString
    "Of a user: the user alone."
    members: [Member!]!
  }

  type Member {
    id: ID!
    admin: Boolean
    pending: Boolean
    email: String
    username: String
    name: String
    photoUrl: String
    accountType: String
    "Never shown: Davit keeps no key that it could show."
    apiKey: String
    role: String
  }

  extend type Mutation {
    createTeam(input: CreateTeamInput!): CreateTeamPayload
    "Makes a user of this Davit a member at once; there are no letters to answer."
    createInvite(input: CreateInviteInput!): CreateInvitePayload
    "Takes a member out of the team."
    deleteInvite(input: DeleteInviteInput!): DeleteInvitePayload
    createServiceAccount(input: CreateServiceAccountInput!): CreateServiceAccountPayload
  }

  input CreateTeamInput {
    teamName: String!
    teamAdminUserName: String
    organizationId: ID
    clientMutationId: String
  }
  type CreateTeamPayload {
    entity: Entity
    clientMutationId: String
  }

  input CreateInviteInput {
    entityName: String!
    email: String
    username: String
    admin: Boolean
    clientMutationId: String
  }
  type CreateInvitePayload {
    invite: Invite
    clientMutationId: String
  }
  type Invite {
    id: ID!
    name: String
    email: String
    createdAt: DateTime
    toUser: User
  }

  input DeleteInviteInput {
    id: String
    entityName: String
    clientMutationId: String
  }
  type DeleteInvitePayload {
    success: Boolean
    clientMutationId: String
  }

  input CreateServiceAccountInput {
    entityName: String!
    description: String!
    clientMutationId: String
  }
  type CreateServiceAccountPayload {
    user: User
    clientMutationId: String
  }
`;
