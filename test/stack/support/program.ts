import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * The stack as plain JavaScript, so that a test can run it in a process of its own and kill that. It lies inside
 * node_modules, where imports of packages resolve as they do from here. Only translated: types are checked elsewhere.
 */
export function translateStack(): { path(source: string): string; remove(): void } {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'davit-stack-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const source of ['cli/stack', 'domain', 'workflows', 'test/stack/support'].flatMap((name) =>
    sourcesOf(join(root, name)),
  )) {
    const target = join(folder, relative(root, source)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(target), { recursive: true });
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    writeFileSync(target, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions: options }).outputText);
  }
  return {
    path: (source) => join(folder, source.replace(/\.ts$/, '.js')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const sourcesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name));
