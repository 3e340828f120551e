// npm run test:wandb [-- --client 0.31.0] [--scenario name]: real programs with each wandb client, and a table version × scenario.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, needNode, programOf, root, runNode } from './support.mjs';

needNode();
const usage = 'npm run test:wandb [-- --client 0.31.0]… [--scenario name]…';

function choices() {
  const options = { client: { type: 'string', multiple: true }, scenario: { type: 'string', multiple: true } };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}
const { client: clients = knownVersions(), scenario: scenarios = [] } = choices();
for (const version of clients)
  if (!knownVersions().includes(version)) {
    console.error(`no client ${version}; there are ${knownVersions().join(', ')}\n${usage}`);
    process.exit(2);
  }

installPackages();
const results = mkdtempSync(join(tmpdir(), 'davit-test-wandb-'));
const report = join(results, 'report.json');
const exitCode = await runNode(
  [
    ...[programOf('vitest'), 'run', '--config', 'test/wandb/scenarios/run.config.ts'],
    ...['--reporter', 'verbose', '--reporter', 'json', `--outputFile.json=${report}`],
  ],
  {
    env: {
      ...process.env,
      DAVIT_WANDB_VERSIONS: clients.join(','),
      DAVIT_WANDB_SCENARIOS: scenarios.join(','),
    },
  },
);
const tests = readTests();
rmSync(results, { recursive: true, force: true });
printTable(tests);
const failed = tests.filter(({ mark }) => mark === 'FAILED').length;
const passed = tests.filter(({ mark }) => mark === 'passed').length;
console.log(`${passed} passed, ${failed} failed, ${tests.length - passed - failed} that the client does not have`);
process.exitCode = failed > 0 || passed === 0 || exitCode !== 0 ? 1 : 0;

/** The one list of versions is the tests' own; this script runs before anything is built. */
function knownVersions() {
  const source = readFileSync(join(root, 'test', 'support', 'wandb-clients.ts'), 'utf8');
  return [...(source.match(/wandbVersions = \[(.*?)\]/s)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(([, found]) => found);
}

/** A row each: which scenario with which version, and how it went. Empty when vitest did not get as far as a report. */
function readTests() {
  try {
    return JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ ancestorTitles, title, status, meta }) => ({
        version: ancestorTitles[0].replace('wandb ', ''),
        scenario: title,
        // Anything that was neither passed nor left out for a reason counts as failed: silence would look like success.
        mark: status === 'passed' ? 'passed' : meta?.unavailable === undefined ? 'FAILED' : '–',
        reason: meta?.unavailable,
      })),
    );
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return [];
  }
}

function printTable(rows) {
  const names = [...new Set(rows.map(({ scenario }) => scenario))].sort();
  const width = Math.max(8, ...names.map((name) => name.length));
  console.log(`\n${'scenario'.padEnd(width)}  ${clients.map((version) => version.padEnd(7)).join('  ')}`);
  for (const name of names) {
    const marks = clients.map(
      (version) => rows.find((row) => row.scenario === name && row.version === version)?.mark ?? '',
    );
    console.log(`${name.padEnd(width)}  ${marks.map((mark) => mark.padEnd(7)).join('  ')}`);
  }
  const reasons = new Map();
  for (const { scenario, version, reason } of rows) {
    if (reason === undefined) continue;
    const key = `${scenario}: ${reason}`;
    reasons.set(key, [...(reasons.get(key) ?? []), version]);
  }
  if (reasons.size > 0) console.log('\n– not with these clients:');
  for (const [key, versions] of reasons) console.log(`  ${versions.join(', ')}  ${key}`);
  console.log('');
}
