export const userDefs = /* GraphQL */ `
  extend type Query {
    "By user name, e-mail address or a part of them. A site admin finds everybody, others themselves and the members of their teams."
    users(query: String, first: Int): UserConnection!
  }

  extend type Mutation {
    "For site admins."
    createUser(input: CreateUserInput!): CreateUserPayload
    "For oneself."
    generateApiKey(input: GenerateApiKeyInput!): GenerateApiKeyPayload
    "One of one's own; a site admin: any."
    deleteApiKey(input: DeleteApiKeyInput!): DeleteApiKeyPayload
  }

  type UserConnection {
    edges: [UserEdge!]!
  }
  type UserEdge {
    node: User
  }

  input CreateUserInput {
    email: String!
    admin: Boolean
    username: String
    clientMutationId: String
  }
  type CreateUserPayload {
    user: User
    clientMutationId: String
  }

  input GenerateApiKeyInput {
    description: String
    clientMutationId: String
  }
  type GenerateApiKeyPayload {
    "Its name is the key itself, this once."
    apiKey: ApiKey
    clientMutationId: String
  }

  input DeleteApiKeyInput {
    id: String!
    clientMutationId: String
  }
  type DeleteApiKeyPayload {
    success: Boolean
    clientMutationId: String
  }
`;
