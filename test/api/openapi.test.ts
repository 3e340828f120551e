import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, test } from 'vitest';
import { restRoutes } from '../../api/rest/index.js';
import { openApiDocument } from '../../api/rest/openapi.js';

const client = join(import.meta.dirname, '..', '..', 'client');
const read = (name: string) => readFileSync(join(client, name), 'utf8');
const document = openApiDocument(restRoutes);

test('client/openapi.json is what the routes say (npm run openapi)', () => {
  expect(JSON.parse(read('openapi.json'))).toEqual(JSON.parse(JSON.stringify(document)));
});

test('client/schema.gen.ts is what the document says, and the document is valid OpenAPI 3.1', async () => {
  // openapi-typescript validates before it generates, and throws.
  const types = astToString(await openapiTS(document as unknown as Parameters<typeof openapiTS>[0]));
  expect(read('schema.gen.ts').endsWith(types)).toBe(true);
});

test('every operation has a name of its own, a summary, and a parameter for each part of its path', () => {
  const ids = restRoutes.map((route) => route.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const paths = document['paths'] as Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
  for (const route of restRoutes) {
    const operation = paths[route.path]?.[route.method];
    const declared = (operation?.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name);
    expect(declared.sort(), route.path).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort());
    expect(route.summary.length).toBeGreaterThan(5);
  }
});
