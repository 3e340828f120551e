export const runDefs = /* GraphQL */ `
  extend type Mutation {
    upsertBucket(input: UpsertBucketInput!): UpsertBucketPayload
    stopRun(input: StopRunInput!): StopRunPayload
    deleteRun(input: DeleteRunInput!): DeleteRunPayload
    updateRunState(input: UpdateRunStateInput!): UpdateRunStatePayload
    rewindRun(input: RewindRunInput!): RewindRunPayload
    notifyScriptableRunAlert(input: NotifyScriptableRunAlertInput!): NotifyScriptableRunAlertPayload
    createCustomChart(input: CreateCustomChartInput!): CreateCustomChartPayload
  }

  type Run {
    id: ID!
    "The short id which the client chose."
    name: String!
    displayName: String
    state: String
    config: JSONString
    "The chosen keys of config._wandb, as JSON text."
    wandbConfig(keys: [String!]): JSONString
    summaryMetrics(keys: [String!]): JSONString
    notes: String
    description: String
    tags: [String!]!
    group: String
    jobType: String
    host: String
    commit: String
    sweepName: String
    stopped: Boolean!
    shouldStop: Boolean
    readOnly: Boolean!
    createdAt: DateTime!
    heartbeatAt: DateTime
    updatedAt: DateTime
    user: User
    project: Project!
    "The number of the project, as text."
    projectId: ID!
    logLineCount: Int!
    logLines(first: Int, last: Int, after: String, before: String, useImprovedPagination: Boolean): LogLineConnection!
    fileCount: Int!
    files(names: [String], after: String, first: Int, pattern: String): FileConnection!
    runInfo: RunInfo
  }

  type RunConnection {
    edges: [RunEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type RunEdge {
    node: Run!
    cursor: String!
  }

  type LogLineConnection {
    edges: [LogLineEdge!]!
    pageInfo: PageInfo!
  }
  type LogLineEdge {
    node: LogLine!
    cursor: String!
  }
  type LogLine {
    number: Int!
    timestamp: DateTime
    level: String
    label: String
    line: String!
  }

  "What wandb-metadata.json says."
  type RunInfo {
    program: String
    args: [String!]
    os: String
    python: String
    colab: String
    executable: String
    codeSaved: Boolean
    cpuCount: Int
    gpuCount: Int
    gpu: String
    git: GitInfo
  }
  type GitInfo {
    remote: String
    commit: String
  }

  input UpsertBucketInput {
    id: String
    name: String
    modelName: String
    entityName: String
    groupName: String
    description: String
    displayName: String
    notes: String
    commit: String
    config: JSONString
    host: String
    debug: Boolean
    jobProgram: String
    jobRepo: String
    jobType: String
    state: String
    sweep: String
    tags: [String!]
    summaryMetrics: JSONString
    clientMutationId: String
  }
  type UpsertBucketPayload {
    bucket: Run
    inserted: Boolean
    serverSettings: ServerSettings
    clientMutationId: String
  }

  input StopRunInput {
    id: ID!
    clientMutationId: String
  }
  type StopRunPayload {
    success: Boolean
    clientMutationId: String
  }

  input DeleteRunInput {
    id: ID!
    deleteArtifacts: Boolean
    clientMutationId: String
  }
  type DeleteRunPayload {
    success: Boolean
    clientMutationId: String
  }

  input UpdateRunStateInput {
    id: ID!
    state: String!
    clientMutationId: String
  }
  type UpdateRunStatePayload {
    success: Boolean
    clientMutationId: String
  }

  input RewindRunInput {
    runName: String!
    entityName: String
    projectName: String
    metricName: String!
    metricValue: Float!
    clientMutationId: String
  }
  type RewindRunPayload {
    rewoundRun: Run
    clientMutationId: String
  }

  input CreateCustomChartInput {
    entity: String!
    name: String!
    displayName: String
    type: String
    access: String
    spec: JSONString
    clientMutationId: String
  }
  type CreateCustomChartPayload {
    chart: CustomChart
    clientMutationId: String
  }
  type CustomChart {
    id: ID!
  }

  enum AlertSeverity {
    INFO
    WARN
    ERROR
  }
  input NotifyScriptableRunAlertInput {
    entityName: String!
    projectName: String!
    runName: String!
    title: String!
    text: String!
    severity: AlertSeverity
    waitDuration: Duration
    clientMutationId: String
  }
  type NotifyScriptableRunAlertPayload {
    success: Boolean
    clientMutationId: String
  }
`;
