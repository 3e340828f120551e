// npm run sim -- [--seed N] [--steps 100000]: random histories of the line in its pure model (domain/line-model), all rules checked after
// every step. A broken rule prints the shortest history found that breaks it. Needs no backend and no build.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { installPackages, needNode, root } from './support.mjs';

needNode();
const { seed, steps } = askedFor();
installPackages();
const { protocol, simulate, storyOf } = await model();
const begunAtMs = Date.now();
const result = simulate(seed, steps, protocol);

console.log(`seed ${seed}`);
console.log(
  `steps ${result.steps} in ${result.histories} histories with ${result.launches} launches, and ${result.healing} steps that healed them`,
);
const counts = Object.entries(result.byKind).sort(([, a], [, b]) => b - a);
for (let i = 0; i < counts.length; i += 4)
  console.log(
    `  ${counts
      .slice(i, i + 4)
      .map(([kind, n]) => `${kind.padEnd(20)}${String(n).padStart(6)}`)
      .join('   ')
      .trimEnd()}`,
  );
console.log(`${((Date.now() - begunAtMs) / 1000).toFixed(1)} s`);
if (result.failure) {
  const { rule, history, foundWith } = result.failure;
  console.log(
    `rules broken: 1 (${rule}), found after ${foundWith} steps of its history, shortened to ${history.length}:\n`,
  );
  for (const line of storyOf(protocol, result.failure)) console.log(line);
  console.log(`\nagain: npm run sim -- --seed ${seed} --steps ${steps}`);
  process.exitCode = 1;
} else {
  console.log('rules broken: 0');
}

function askedFor() {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string' }, steps: { type: 'string', default: '100000' } },
    });
    const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
    const steps = Number(values.steps);
    if (Number.isSafeInteger(seed) && Number.isSafeInteger(steps) && steps > 0) return { seed, steps };
    console.error('--seed and --steps take whole numbers, steps above 0');
  } catch (error) {
    console.error(error.message);
  }
  process.exit(2);
}

/** Translated into node_modules/.cache, where imports of packages resolve as they do from here. */
async function model() {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'davit-sim-'));
  try {
    const { default: ts } = await import('typescript');
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    };
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const name of readdirSync(join(root, 'domain'), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
      const source = join(root, 'domain', name);
      const target = join(folder, relative(root, source)).replace(/\.ts$/, '.js');
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions }).outputText);
    }
    const load = (name) => import(pathToFileURL(join(folder, 'domain', 'line-model', name)).href);
    return { ...(await load('protocol.js')), ...(await load('simulate.js')), ...(await load('story.js')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
