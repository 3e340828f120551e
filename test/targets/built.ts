import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * The targets as plain JavaScript in a folder of its own, for tests that need them in other processes: those are killed, and a loader
 * would be in the way. Inside node_modules, so that their imports are found.
 */
export function buildTargets(): { folder: string; remove: () => void } {
  const root = join(import.meta.dirname, '..', '..');
  const folder = mkdtempSync(join(root, 'node_modules', '.davit-test-targets-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const part of ['domain', 'sources', 'builders', 'targets']) {
    for (const entry of readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      const source = readFileSync(join(root, part, entry), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, verbatimModuleSyntax: true },
      });
      const file = join(folder, part, entry.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, outputText);
    }
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
