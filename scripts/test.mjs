// npm test: installs and builds what is missing, finds the backends, runs the suites, and ends with the sum line.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { installPackages, needNode, programOf, root, runNode } from './support.mjs';

needNode();
installPackages();

const { build } = await import('./build.mjs');
const { suites } = await import('./suites.mjs');
const { findBackends, cacheFolder } = await import('./backends.mjs');

// Arguments go to vitest as they are; those that are paths also choose the suites.
const args = [
  ...process.argv.slice(2),
  ...(process.env.DAVIT_TEST_ONLY ?? '').split(/\s+/).filter((word) => word !== ''),
];
const paths = args.filter((arg) => !arg.startsWith('-')).map((arg) => relative(root, resolve(arg)));
const isWanted = (name) =>
  paths.length === 0 ||
  paths.some((path) => `${path}/`.startsWith(`test/${name}/`) || `test/${name}/`.startsWith(`${path}/`));
const strict = (process.env.CI ?? '') !== '' && process.env.CI !== 'false';

const hasTests = (folder) =>
  existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith('.test.ts'));
const strays = readdirSync(join(root, 'test')).filter(
  (name) =>
    !suites.some((suite) => suite.name === name) &&
    statSync(join(root, 'test', name)).isDirectory() &&
    hasTests(join(root, 'test', name)),
);
// Tests that no suite runs would be passed over in silence.
if (strays.length > 0) finish({ passed: 0, failed: 1 }, [`${strays.join(', ')}: not in scripts/suites.mjs`]);

const left = [];
const chosen = suites.filter(({ name }) => hasTests(join(root, 'test', name)) && isWanted(name));

try {
  const { done, seconds } = await build();
  if (done.length > 0) console.log(`built ${done.join(', ')} in ${seconds.toFixed(1)} s`);
} catch (error) {
  finish({ passed: 0, failed: 1 }, [`build failed: ${error.message}`]);
}

const backends = await findBackends(new Set(chosen.flatMap(({ needs }) => needs)));
for (const { what, ok } of Object.values(backends)) console.log(`${ok ? 'have' : 'MISSING'}: ${what}`);
const runnable = chosen.filter(({ name, needs }) => {
  const missing = needs.filter((need) => !backends[need]?.ok);
  for (const need of missing) left.push(`${name} (${backends[need]?.what ?? need})`);
  return missing.length === 0;
});

const results = mkdtempSync(join(tmpdir(), 'davit-test-'));
const report = join(results, 'report.json');
let exitCode = 1;
if (runnable.length > 0) {
  exitCode = await runNode(
    [
      programOf('vitest'),
      'run',
      ...runnable.flatMap(({ name }) => ['--project', name]),
      ...['--reporter', strict ? 'verbose' : 'default', '--reporter', 'json', `--outputFile.json=${report}`],
      ...args,
    ],
    {
      env: {
        ...process.env,
        DAVIT_TEST_CACHE: cacheFolder,
        ...(backends.temporal?.program ? { DAVIT_TEST_TEMPORAL: backends.temporal.program } : {}),
      },
    },
  );
}
const sum = readSum(report);
rmSync(results, { recursive: true, force: true });
finish(sum, left);

/** Failed files without a test in them (a broken import, a hook) count as one failure each; a run without any test is a failure. */
function readSum(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const {
    numPassedTests: passed,
    numFailedTests,
    testResults,
    unhandledErrors,
  } = JSON.parse(readFileSync(file, 'utf8'));
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  );
  let failed = numFailedTests + broken.length + (unhandledErrors?.length ?? 0);
  // Vitest may see a failure that its report does not hold, such as an error after the last test.
  if (failed === 0 && (exitCode !== 0 || passed === 0)) failed = 1;
  return { passed, failed };
}

function finish({ passed, failed }, leftOut) {
  for (const suite of leftOut) console.log(`left out: ${suite}`);
  // A machine that is there to test must have what tests need: silence would look like success.
  const missing = strict ? leftOut.length : 0;
  console.log(`${passed} passed, ${failed + missing} failed`);
  process.exit(failed + missing > 0 ? 1 : 0);
}
