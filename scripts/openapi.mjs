// Writes client/openapi.json and client/schema.gen.ts from the routes of the API. Needs no database and no build: the sources that the
// routes import are translated into node_modules/.cache, where imports of packages resolve as they do from here.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');

const document = await openApiDocument();
const json = join(root, 'client', 'openapi.json');
writeFileSync(json, await format(JSON.stringify(document), { ...(await resolveConfig(json)), parser: 'json' }));
const types = astToString(await openapiTS(document));
writeFileSync(
  join(root, 'client', 'schema.gen.ts'),
  `// Made by \`npm run openapi\` from the routes of the API; do not edit.\n\n${types}`,
);

async function openApiDocument() {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'davit-openapi-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const part of ['api', 'domain', 'sources', 'store', 'telemetry', 'workflows'])
      translate(join(root, part), folder);
    const load = (path) => import(pathToFileURL(join(folder, path)).href);
    const { openApiDocument: documentOf } = await load('api/rest/openapi.js');
    const { restRoutes } = await load('api/rest/index.js');
    return documentOf(restRoutes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function translate(part, folder) {
  for (const name of readdirSync(part, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
    const source = join(part, name);
    const target = join(folder, relative(root, source)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(target), { recursive: true });
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    };
    writeFileSync(target, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions }).outputText);
  }
}
