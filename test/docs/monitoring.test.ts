import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = [
  ...readdirSync(join(root, 'api/metrics')).map((file) => `api/metrics/${file}`),
  'telemetry/registry.ts',
  'workers/metrics.ts',
];
/** As they are written where they are made. */
const series = new Set(
  sources.flatMap((path) => [...read(path).matchAll(/'(davit_[a-z_]+)'/g)].map(([, name]) => name ?? '')),
);
const plain = (name: string): string => (series.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''));
const named = (text: string): string[] => [
  ...new Set([...text.matchAll(/davit_[a-z_]+[a-z]/g)].map(([name]) => plain(name))),
];

test('every series is explained on the monitoring page', () => {
  expect(series.size).toBeGreaterThan(20);
  const page = read('docs/monitoring.md');
  // `davit_queue_paused`, `…_draining` in one row.
  const missing = [...series].filter(
    (name) =>
      !page.includes(name) &&
      !page.includes(`…_${name.split('_').at(-1)}`) &&
      !page.includes(`…_${name.split('_').slice(-2).join('_')}`),
  );
  expect(missing).toEqual([]);
});

test('alert rules and the dashboard ask for series that exist, and the page names every alert', () => {
  const rules = read('deploy/prometheus/davit.rules.yml');
  const dashboard = read('deploy/grafana/davit.json');
  for (const text of [rules, dashboard]) {
    expect(named(text).length).toBeGreaterThan(5);
    expect(named(text).filter((name) => !series.has(name))).toEqual([]);
  }
  const { groups } = parse(rules) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const page = read('docs/monitoring.md');
  const alerts = groups.flatMap((group) => group.rules);
  expect(alerts.length).toBeGreaterThan(5);
  expect(alerts.filter(({ alert }) => !page.includes(`\`${alert}\``))).toEqual([]);
  // A series of all processes that is added up counts launches once for each API process.
  const global = /sum(?: by \([^)]*\))? \((?:rate\()?davit_(?:queue|launches|launch_|agent_slots|agents|outbox)/;
  expect(alerts.filter(({ expr }) => global.test(expr))).toEqual([]);
});
