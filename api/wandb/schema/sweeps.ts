export const sweepDefs = /* GraphQL */ `
  extend type Mutation {
    upsertSweep(input: UpsertSweepInput!): UpsertSweepPayload
    createAgent(input: CreateAgentInput!): CreateAgentPayload
    agentHeartbeat(input: AgentHeartbeatInput!): AgentHeartbeatPayload
    enqueueSweepRun(input: EnqueueSweepRunInput!): EnqueueSweepRunPayload
  }

  extend type Project {
    sweep(sweepName: String): Sweep
    sweeps(after: String, first: Int, filters: JSONString): SweepConnection!
    totalSweeps: Int!
  }

  extend type Run {
    sweep: Sweep
    exitcode: Int
    running: Boolean!
    failed: Boolean!
  }

  type Sweep {
    id: ID!
    "The short id."
    name: String!
    displayName: String
    method: String!
    state: String!
    description: String
    "YAML text, as it was given."
    config: String!
    createdAt: DateTime!
    updatedAt: DateTime
    heartbeatAt: DateTime
    earlyStopJobRunning: Boolean!
    "The best value of the metric in the summaries of its runs."
    bestLoss: Float
    controller: JSONString
    scheduler: JSONString
    "The run that a local scheduler writes its log to."
    controllerRunName: String
    runCount: Int!
    "Null when only its agents know."
    runCountExpected: Int
    user: User
    project: Project!
    "All of them, unless a page is asked for."
    runs(first: Int, after: String, order: String, filters: JSONString): RunConnection!
    agent(agentName: String!): Agent
    agents(first: Int, after: String): AgentConnection!
    priorRunsFilters: JSONString
  }
  type SweepConnection {
    edges: [SweepEdge!]!
    pageInfo: PageInfo!
    totalCount: Int!
  }
  type SweepEdge {
    node: Sweep!
    cursor: String!
  }

  type Agent {
    id: ID!
    name: String!
    host: String!
    state: String
    totalRuns: Int!
    createdAt: DateTime!
    heartbeatAt: DateTime
    runs(first: Int, last: Int, after: String, before: String, order: String): RunConnection!
  }
  type AgentConnection {
    edges: [AgentEdge!]!
    pageInfo: PageInfo!
  }
  type AgentEdge {
    node: Agent!
    cursor: String!
  }

  input UpsertSweepInput {
    id: ID
    config: String
    description: String
    entityName: String
    projectName: String
    controller: JSONString
    scheduler: JSONString
    launchScheduler: JSONString
    templateVariableValues: JSONString
    state: String
    priorRunsFilters: JSONString
    displayName: String
    clientMutationId: String
  }
  type UpsertSweepPayload {
    sweep: Sweep
    configValidationWarnings: [String!]!
    inserted: Boolean
    clientMutationId: String
  }

  input CreateAgentInput {
    host: String!
    projectName: String
    entityName: String
    sweep: String!
    persistent: Boolean
    clientMutationId: String
  }
  type CreateAgentPayload {
    agent: Agent
    clientMutationId: String
  }

  input AgentHeartbeatInput {
    id: ID!
    metrics: JSONString
    runState: JSONString
    clientMutationId: String
  }
  type AgentHeartbeatPayload {
    agent: Agent
    "A list of objects with type run, resume, stop or exit."
    commands: JSONString
    clientMutationId: String
  }

  input EnqueueSweepRunInput {
    id: ID!
    config: JSONString!
    displayName: String
    clientMutationId: String
  }
  type EnqueueSweepRunPayload {
    "The name of the run, which is there and pending."
    id: ID
    runQueueItemId: ID
    clientMutationId: String
  }
`;
