export const projectDefs = /* GraphQL */ `
  extend type Query {
    project(name: String, entityName: String): Project
    "Old name of project."
    model(name: String, entityName: String): Project
    models(entityName: String, after: String, first: Int): ProjectConnection
  }

  extend type Mutation {
    upsertModel(input: UpsertModelInput!): UpsertModelPayload
  }

  type Project {
    id: ID!
    internalId: ID!
    name: String!
    entityName: String!
    entity: Entity!
    description: String
    createdAt: DateTime!
    readOnly: Boolean!
    access: String
    views: JSONString
    isBenchmark: Boolean!
    repo: String
    dockerImage: String
    user: User
    "desc is taken and ignored: the client's self-test sends 10 MiB of it."
    run(name: String, desc: String): Run
    "Old name of run."
    bucket(name: String, desc: String, missingOk: Boolean): Run
    runCount(filters: JSONString): Int!
    runs(filters: JSONString, after: String, first: Int, order: String): RunConnection!
    buckets(filters: JSONString, after: String, first: Int, order: String): RunConnection!
  }

  type ProjectConnection {
    edges: [ProjectEdge!]!
    pageInfo: PageInfo!
  }
  type ProjectEdge {
    node: Project
    cursor: String!
  }

  input UpsertModelInput {
    id: String
    name: String
    entityName: String
    description: String
    repo: String
    dockerImage: String
    docker: String
    access: String
    views: JSONString
    framework: String
    isBenchmark: Boolean
    linkedBenchmark: ID
    isPublished: Boolean
    owner: ID
    allowAllArtifactTypesInRegistry: Boolean
    artifactTypes: [ArtifactTypeInput!]
    clientMutationId: String
  }
  type UpsertModelPayload {
    project: Project
    model: Project
    inserted: Boolean
    clientMutationId: String
  }
`;
