import { integer, path } from './kinds.js';
import {
  logFormat,
  logLevel,
  metricsHost,
  metricsPort,
  metricsToken,
  postgresUrl,
  temporal,
  window,
} from './common.js';
import { optional, required, setting } from './settings.js';

/** `davit worker`: runs the workflows and what they record. */
export const workerSettings = {
  databaseUrl: required(postgresUrl, {
    description: 'The PostgreSQL database, the same as the API has.',
    reason: 'What happens to a launch is recorded there.',
    alsoEnv: ['DATABASE_URL'],
    secret: 'url',
  }),
  ...temporal,
  maxCachedWorkflows: setting(integer(0, 100_000), 300, {
    description: 'How many open workflows are kept in memory between their steps.',
    reason: 'One and a half windows; a workflow that is not kept is replayed, which takes milliseconds.',
  }),
  workflowBundle: optional(path(), {
    description: 'The prebuilt bundle of the workflow code.',
    reason: 'The build makes it; bundling at start would take seconds.',
    defaultText: 'workflow-bundle.js beside the program',
  }),
  window,
  metricsPort,
  metricsHost,
  metricsToken,
  logLevel,
  logFormat,
};
