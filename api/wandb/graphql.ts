import type { Request } from 'express';
import { GraphQLError, validate, type DocumentNode, type ExecutionResult, type GraphQLSchema } from 'graphql/index.js';
import { createYoga } from 'graphql-yoga';
import type { DavitError } from '../../domain/errors.js';
import { toDavitError } from '../errors.js';
import { requestIdOf } from '../request-id.js';
import type { Context } from './context.js';
import { costLimits, costProblem } from './cost.js';
import { GoneError } from './gone.js';
import { noteUnanswered } from './unanswered.js';
import { explained, validationRules } from './validation.js';

export interface Answer {
  status: number;
  body: { data?: unknown; errors?: AnswerError[] };
  /** Seconds, when the client should come again. */
  retryAfter?: number;
}

interface AnswerError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: Record<string, unknown>;
}

/**
 * Runs documents on a schema. HTTP is ours, because the client's reading of it is its own: 200 with errors for whatever it did wrong (it shows the sentence and
 * goes on), 5xx only for what may be better in a moment (it sends the same again for minutes).
 */
export function graphqlRunner(schema: GraphQLSchema) {
  const yoga = createYoga({
    schema,
    logging: false,
    graphiql: false,
    landingPage: false,
    // The router sorts errors itself.
    maskedErrors: false,
    parserAndValidationCache: true,
  });

  return async (req: Request, context: Context): Promise<Answer> => {
    const params = readParams(req.body);
    if (typeof params === 'string') return failed(params);
    const { parse, contextFactory, execute } = yoga.getEnveloped({ ...context, params });
    let document: DocumentNode;
    try {
      document = parse(params.query, { maxTokens: costLimits.tokens, noLocation: false }) as DocumentNode;
    } catch (error) {
      return failed(error instanceof Error ? error.message : 'The document cannot be read.');
    }
    // Before validation, which itself takes long over documents that are made for it.
    const tooMuch = costProblem(schema, document, params.operationName, params.variables);
    if (tooMuch !== undefined) return failed(tooMuch);
    const problems = problemsOf(schema, document);
    if (problems.length > 0) {
      noteUnanswered(context, document, params.operationName, problems, req.headers['user-agent']);
      return { status: 200, body: { data: null, errors: problems.slice(0, 20).map(plain) } };
    }
    const result = (await execute({
      schema,
      document,
      variableValues: params.variables,
      operationName: params.operationName,
      contextValue: await contextFactory(),
    })) as ExecutionResult;
    return answerOf(result, req, context);
  };
}

/** A text is parsed and validated once; clients send the same few dozen for ever. Not by yoga: it puts the standard rules back. Documents come from its cache, so each is validated once. */
const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();

function problemsOf(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
  const known = validated.get(document);
  if (known) return known;
  const problems = validate(schema, document, validationRules, { maxErrors: 20 });
  validated.set(document, problems);
  return problems;
}

interface Params {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | null;
}

function readParams(body: unknown): Params | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return 'The body must be a JSON object with "query" and "variables".';
  const { query, variables, operationName } = body as Record<string, unknown>;
  if (typeof query !== 'string') return 'The body has no "query".';
  if (variables !== undefined && variables !== null && (typeof variables !== 'object' || Array.isArray(variables)))
    return '"variables" must be an object.';
  return {
    query,
    variables: (variables ?? {}) as Record<string, unknown>,
    // The client sends "" where it means none.
    operationName: typeof operationName === 'string' && operationName !== '' ? operationName : null,
  };
}

function answerOf(result: ExecutionResult, req: Request, context: Context): Answer {
  if (!result.errors || result.errors.length === 0) return { status: 200, body: { data: result.data } };
  const errors: AnswerError[] = [];
  for (const error of result.errors) {
    const cause = error.originalError;
    // Ours to say, or the engine's own (a variable of a wrong type).
    if (cause === undefined || cause === null || cause instanceof GraphQLError) {
      errors.push(plain(error));
      continue;
    }
    if (cause instanceof GoneError) return { status: 404, body: { errors: [{ message: cause.message }] } };
    const known = toDavitError(cause);
    if (isTemporary(known, cause)) {
      context.log.warn({ err: cause, requestId: requestIdOf(req) }, 'a GraphQL request has to be sent again');
      return { status: 503, body: { errors: [{ message: `${known.message} ${known.entry.fix}` }] }, retryAfter: 2 };
    }
    if (known.code === 'internal') {
      context.log.error({ err: cause, path: error.path, requestId: requestIdOf(req) }, 'a GraphQL field failed');
      known.message = `Davit failed to answer this (request ${requestIdOf(req)}); its log says why.`;
    }
    errors.push({
      message: known.message,
      ...(error.path ? { path: error.path } : {}),
      extensions: { code: known.code },
    });
  }
  return { status: 200, body: { data: result.data ?? null, errors } };
}

/** Also what two transactions did to each other: the next attempt finds the other one done. */
export function isTemporary(error: DavitError, cause: unknown): boolean {
  if (error.code === 'store-unavailable' || error.code === 'storage-unavailable') return true;
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(40001|40P01|55P03|57014|53\d{3})$/.test(code);
}

const plain = (error: GraphQLError): AnswerError => ({
  message: explained(error.message),
  ...(error.path ? { path: error.path } : {}),
});

const failed = (message: string): Answer => ({ status: 200, body: { data: null, errors: [{ message }] } });
