export const historyDefs = /* GraphQL */ `
  extend type Run {
    systemMetrics: JSONString
    historyKeys: JSON
    historyLineCount: Int!
    eventsLineCount: Int!
    "The last lines: JSON text of an array of JSON texts."
    historyTail: JSONString
    eventsTail: JSONString
    "JSON texts, evenly sampled; or those with minStep <= _step < maxStep."
    history(samples: Int, minStep: Int64, maxStep: Int64): [String!]!
    events(samples: Int): [String!]!
    "For each spec a list of objects."
    sampledHistory(specs: [JSONString!]!): [JSON!]!
    parquetHistory(liveKeys: [String!]): ParquetHistory!
  }

  "Files that hold all of a history, or none: then pages are read from the least \`_step\` in liveData on."
  type ParquetHistory {
    parquetUrls: [String!]!
    liveData: [JSON!]!
  }
`;
