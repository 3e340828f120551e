/** Davit keeps no reports: projects have none, and whoever lists them is told so. */
export const reportDefs = /* GraphQL */ `
  extend type Project {
    allViews(viewType: String, viewName: String, first: Int, after: String): ViewConnection!
  }
  type ViewConnection {
    edges: [ViewEdge!]!
    pageInfo: PageInfo!
  }
  type ViewEdge {
    node: View
    cursor: String!
  }
  type View {
    id: ID!
    name: String
    displayName: String
    description: String
    type: String
    user: User
    spec: String
    previewUrl: String
    createdAt: DateTime
    updatedAt: DateTime
  }

  extend type Mutation {
    upsertView(input: UpsertViewInput!): UpsertViewPayload
  }
  input UpsertViewInput {
    id: ID
    entityName: String
    projectName: String
    type: String
    name: String
    displayName: String
    description: String
    spec: String
    createdUsing: String
    parentId: ID
    locked: Boolean
    clientMutationId: String
  }
  type UpsertViewPayload {
    view: View
    inserted: Boolean
    clientMutationId: String
  }
`;
