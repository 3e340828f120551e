import { z } from 'zod';
import { problemSchema, statusText } from '../errors.js';
import { successStatus, type Route } from './route.js';

/** The OpenAPI 3.1 document of the routes. Pure: it needs no database and no server. */

type Json = Record<string, unknown>;

export function openApiDocument(routes: readonly Route[]): Json {
  const components = new Components();
  const problem = components.schemaOf(problemSchema, 'output');
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    if (path[route.method]) throw new Error(`two routes at ${route.method} ${route.path}`);
    path[route.method] = operationOf(route, components, problem);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Davit',
      version: '1',
      description:
        'Errors are problem details (RFC 9457) with a stable `code`; each code has a page under /docs/errors.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }, { basic: [] }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.sorted(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' },
        basic: { type: 'http', scheme: 'basic', description: 'Any user name, an API key as the password.' },
      },
    },
  };
}

function operationOf(route: Route, components: Components, problem: Json): Json {
  const success = successStatus(route);
  const answer = (status: number): Json => ({
    description: statusText(status),
    ...(route.response
      ? { content: { 'application/json': { schema: components.schemaOf(route.response, 'output') } } }
      : route.streams
        ? { content: Object.fromEntries(route.streams.map((type) => [type, { schema: textSchema(type) }])) }
        : {}),
  });
  const parameters = [
    ...parametersOf(route.params, 'path', components),
    ...parametersOf(route.query, 'query', components),
    ...Object.entries(route.headers ?? {}).map(([name, header]) => ({
      name,
      in: 'header',
      required: header.required ?? false,
      description: header.description,
      schema: { type: 'string' },
    })),
  ];
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    ...(route.auth === 'none' ? { security: [] } : {}),
    ...(route.auth === 'agent' ? { 'x-key-kind': 'agent' } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBodyOf(route, components),
    responses: {
      ...Object.fromEntries([success, ...(route.otherStatus ?? [])].map((status) => [String(status), answer(status)])),
      default: { description: 'A problem', content: { 'application/problem+json': { schema: problem } } },
    },
  };
}

function requestBodyOf(route: Route, components: Components): Json {
  if (route.body)
    return {
      requestBody: {
        required: !route.body.safeParse({}).success,
        content: { 'application/json': { schema: components.schemaOf(route.body, 'input') } },
      },
    };
  if (route.rawBody)
    return {
      requestBody: {
        required: true,
        description: route.rawBody.description,
        content: { [route.rawBody.contentType]: { schema: textSchema(route.rawBody.contentType) } },
      },
    };
  return {};
}

const textSchema = (type: string): Json =>
  type.startsWith('text/') ? { type: 'string' } : { type: 'string', format: 'binary' };

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query', components: Components): Json[] {
  if (!schema) return [];
  const object = components.schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(object.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: where,
      required: where === 'path' || (object.required ?? []).includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** Schemas with an id (`.meta({ id })`) become components that others refer to. */
class Components {
  private readonly schemas = new Map<string, Json>();

  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
    // Wrapped, because a schema with an id is only given a name of its own where it is part of another.
    const made = z.toJSONSchema(z.object({ wrapped: schema }), {
      target: 'draft-2020-12',
      io,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        // Answers may get new fields; a client that refuses them would break with the next version.
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    for (const [id, definition] of Object.entries(made.$defs ?? {})) this.add(id, withoutIds(definition));
    return withoutIds(made.properties?.['wrapped'] ?? {});
  }

  private add(id: string, schema: Json): void {
    const known = this.schemas.get(id);
    if (known && JSON.stringify(known) !== JSON.stringify(schema))
      throw new Error(`two different schemas are named ${id}`);
    this.schemas.set(id, schema);
  }

  sorted(): Json {
    return Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const withoutIds = (schema: unknown): Json =>
  JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === '$ref' && typeof value === 'string') return value.replace('#/$defs/', '#/components/schemas/');
      if (key === 'id' && typeof value === 'string') return undefined;
      return value;
    }),
  ) as Json;
