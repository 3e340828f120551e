export const fileDefs = /* GraphQL */ `
  extend type Mutation {
    createRunFiles(input: CreateRunFilesInput!): CreateRunFilesPayload
    markRunFilesUploaded(input: MarkRunFilesUploadedInput!): MarkRunFilesUploadedPayload
    deleteFiles(input: DeleteFilesInput!): DeleteFilesPayload
  }

  type FileConnection {
    edges: [FileEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
    "Headers to send with an upload, each 'Name: value'."
    uploadHeaders: [String!]!
  }
  type FileEdge {
    node: File!
    cursor: String!
  }
  type File {
    id: ID!
    name: String!
    displayName: String
    "An address to read from, or with upload: true to write to. Signed; send no credentials with it."
    url(upload: Boolean): String
    directUrl: String
    uploadUrl: String
    sizeBytes: Int64!
    mimetype: String
    updatedAt: DateTime
    "Base64. The text 0 stands for a file that is not there."
    md5: String
    "Of files of artifacts: base64 MD5, or what a reference has for one."
    digest: String
    storagePath: String
  }

  input DeleteFilesInput {
    files: [ID!]!
    projectId: Int
    clientMutationId: String
  }
  type DeleteFilesPayload {
    success: Boolean
    clientMutationId: String
  }

  input CreateRunFilesInput {
    entityName: String!
    projectName: String!
    runName: String!
    files: [String!]!
    clientMutationId: String
  }
  type CreateRunFilesPayload {
    runID: ID!
    uploadHeaders: [String!]!
    "One for each name that was asked for, in the same order."
    files: [File!]!
    clientMutationId: String
  }

  input MarkRunFilesUploadedInput {
    entityName: String!
    projectName: String!
    runName: String!
    files: [String!]!
    clientMutationId: String
  }
  type MarkRunFilesUploadedPayload {
    success: Boolean
    clientMutationId: String
  }
`;
