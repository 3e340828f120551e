import express, { type ErrorRequestHandler } from 'express';
import { toDavitError } from '../errors.js';
import { requestIdOf } from '../request-id.js';
import { artifactDownload } from './artifact-download.js';
import { wandbLimits, type WandbDeps } from './deps.js';
import { fileStream } from './file-stream.js';
import { graphqlRunner, isTemporary } from './graphql.js';
import { contextOf, requireKey } from './request-context.js';
import { wandbSchema } from './schema/index.js';

/**
 * What the wandb client speaks: GraphQL and the file stream. Mount it at the root, before anything that reads bodies, counts requests
 * or answers unknown paths with a page.
 */
export function wandbRouter(deps: WandbDeps): express.Router {
  const router = express.Router();
  // Telemetry of the client, six times a second from some versions. 404 tells it to be silent; nothing is read, logged or counted.
  router.use('/sdk/otel', (_req, res) => {
    res.status(404).end();
  });

  const key = requireKey(deps);
  const json = express.json({ limit: wandbLimits.bodyBytes, type: () => true });
  const run = graphqlRunner(wandbSchema);
  router.post('/graphql', key, json, async (req, res) => {
    const answer = await run(req, contextOf(req, deps));
    if (answer.retryAfter !== undefined) res.setHeader('Retry-After', String(answer.retryAfter));
    res.status(answer.status).json(answer.body);
  });
  router.all('/graphql', (_req, res) => {
    res
      .status(405)
      .setHeader('Allow', 'POST')
      .json({ errors: [{ message: 'Send GraphQL by POST.' }] });
  });
  router.post('/files/:entity/:project/:run/file_stream', key, json, fileStream(deps));
  router.use(['/artifactsV2', '/artifacts'], key, artifactDownload(deps));
  router.use(['/graphql', '/files', '/artifactsV2', '/artifacts'], errorsForTheClient(deps));
  return router;
}

/** The client reads `errors[].message` and nothing else, and prints it as it is. */
function errorsForTheClient(deps: WandbDeps): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) {
      next(thrown);
      return;
    }
    const error = toDavitError(thrown);
    const requestId = requestIdOf(req);
    if (isTemporary(error, thrown)) {
      deps.log.warn({ err: thrown, requestId }, 'a request of a wandb client has to be sent again');
      res.setHeader('Retry-After', '2');
      res.status(503).json({ errors: [{ message: `${error.message} ${error.entry.fix}` }] });
      return;
    }
    let status: number = error.entry.status;
    if (error.code === 'internal') {
      deps.log.error({ err: thrown, requestId }, 'a request of a wandb client failed');
      // GraphQL: a defect of ours would be the same in a minute, and a client that retries it hangs. What a run logs is worth the wait.
      if (req.baseUrl === '/graphql') status = 200;
    }
    res.status(status).json({ errors: [{ message: error.message, extensions: { code: error.code } }] });
  };
}
