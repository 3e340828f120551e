import { z } from 'zod';
import { agentProtocolRoutes } from './agent-protocol/index.js';
import { agentTraceRoutes } from './agent-trace.js';
import { agentRoutes } from './agents.js';
import { artifactRoutes } from './artifacts.js';
import { auditRoutes } from './audit.js';
import { bulkRoutes } from './bulk.js';
import { entityRoutes } from './entities.js';
import { jobChangeRoutes } from './job-changes.js';
import { jobCreateRoutes } from './job-create.js';
import { jobImageRoutes } from './job-images.js';
import { jobRoutes } from './jobs.js';
import { keyRoutes } from './keys.js';
import { launchLineRoutes } from './launch-line.js';
import { launchListRoutes } from './launch-list.js';
import { launchLogRoutes } from './launch-logs.js';
import { launchStreamRoutes } from './launch-stream.js';
import { launchWaitingRoutes } from './launch-waiting.js';
import { launchRoutes } from './launches.js';
import { lineRoutes } from './lines.js';
import { openApiDocument } from './openapi.js';
import { projectRoutes } from './projects.js';
import { queueOperationRoutes } from './queue-operations.js';
import { queueRoutes } from './queues.js';
import { defineRoute, type Route } from './route.js';
import { runMetricRoutes } from './run-metrics.js';
import { runRoutes } from './runs.js';
import { secretRoutes } from './secrets.js';
import { sweepRoutes } from './sweeps.js';
import { unansweredRoutes } from './unanswered.js';
import { viewerRoutes } from './viewer.js';

let document: Record<string, unknown> | undefined;

const getDocument = defineRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  summary: 'This document',
  tag: 'viewer',
  auth: 'any',
  response: z.record(z.string(), z.unknown()),
  handler: () => (document ??= openApiDocument(restRoutes)),
});

/** Every REST route there is. A new file of routes is added here and nowhere else. */
export const restRoutes: readonly Route[] = [
  getDocument,
  ...viewerRoutes,
  ...entityRoutes,
  ...keyRoutes,
  ...projectRoutes,
  ...queueRoutes,
  ...queueOperationRoutes,
  ...secretRoutes,
  ...lineRoutes,
  ...jobRoutes,
  ...jobCreateRoutes,
  ...jobChangeRoutes,
  ...jobImageRoutes,
  ...launchListRoutes,
  ...launchLineRoutes,
  ...launchRoutes,
  ...bulkRoutes,
  ...launchWaitingRoutes,
  ...launchLogRoutes,
  ...launchStreamRoutes,
  ...agentRoutes,
  ...runRoutes,
  ...runMetricRoutes,
  ...sweepRoutes,
  ...artifactRoutes,
  ...auditRoutes,
  ...unansweredRoutes,
  ...agentProtocolRoutes,
  ...agentTraceRoutes,
];
