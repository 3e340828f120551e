/** Who asks, and what this server can. */
export const sessionDefs = /* GraphQL */ `
  type Query {
    viewer: User
    serverInfo: ServerInfo
    entity(name: String): Entity
    organization(name: String): Organization
  }

  type Mutation {
    _: Boolean
  }

  type User {
    id: ID!
    name: String
    username: String
    email: String
    admin: Boolean
    "JSON text."
    flags: JSONString
    "Name of the default entity."
    entity: String
    photoUrl: String
    deletedAt: DateTime
    apiKeys: ApiKeyConnection
    teams: EntityConnection
  }

  type ApiKeyConnection {
    edges: [ApiKeyEdge!]!
  }
  type ApiKeyEdge {
    node: ApiKey
  }
  "Never the key itself: that is shown once, when it is made."
  type ApiKey {
    id: ID!
    name: String
    description: String
  }

  type EntityConnection {
    edges: [EntityEdge!]!
  }
  type EntityEdge {
    node: Entity
  }
  type Entity {
    id: ID!
    name: String!
    isTeam: Boolean!
    organization: Organization
  }

  "What an entity is where clients ask for organizations: each entity stands for its own, of the same name."
  type Organization {
    id: ID!
    name: String
    coreWeaveOrganizationId: String
    featureFlags(rampIDType: RampIDType): [RampFeatureFlag!]!
  }
  enum RampIDType {
    OrgName
    OrgID
    UserID
    Username
  }
  type RampFeatureFlag {
    rampKey: String!
    isEnabled: Boolean!
  }

  type ServerInfo {
    "min_cli_version and max_cli_version."
    cliVersionInfo: JSON!
    latestLocalVersionInfo: LatestLocalVersionInfo
    features: [ServerFeature!]!
  }
  type LatestLocalVersionInfo {
    outOfDate: Boolean
    latestVersionString: String
    versionOnThisInstanceString: String
  }
  type ServerFeature {
    name: String!
    isEnabled: Boolean!
  }

  "Clients up to 0.25 ask what fields this has, and some end when it is missing."
  type ServerSettings {
    frontendHost: String
    serverMessages: [ServerMessage!]!
  }
  type ServerMessage {
    utfText: String
    plainText: String
    htmlText: String
    messageType: String
    messageLevel: String
  }

  type PageInfo {
    endCursor: String
    hasNextPage: Boolean!
  }
`;
