import { nameOfKill } from './plan.js';
import type { StormResult } from './storm.js';

/** The table at the end of a run. */
export function reportOf(result: StormResult): string[] {
  const { seed, seconds, launches, deaths, missedSteps, adoptions, recoveriesMs, released, counts, lost, cut, kept } =
    result;
  const lines = [`seed ${seed}, ${seconds} s`, ''];
  const row = (what: string, value: string | number): void => {
    lines.push(`  ${what.padEnd(44)} ${value}`);
  };
  row('launches', launches);
  row('kills', deaths.filter(({ frozen }) => !frozen).length);
  for (const victim of ['agent', 'server', 'worker', 'temporal', 'engine'] as const) {
    const killed = deaths.filter(({ kill, frozen }) => kill.victim === victim && !frozen);
    const named = killed.filter(({ kill }) => kill.at !== 'random').length;
    row(`  ${victim}`, `${killed.length} (${named} at named steps, ${killed.length - named} at random moments)`);
  }
  row('agents frozen', deaths.filter(({ frozen }) => frozen).length);
  row('set aside and released by an operator', `${released.launches} launches, ${released.agents} agents`);
  lines.push('');
  for (const { what, evidence } of counts) row(what, evidence.length);
  if (lost !== undefined) row('told as lost: their Engine was killed', lost);
  if (cut !== undefined) row('told that the end of their log may be missing', cut);
  row('named steps that nobody came to', missedSteps.length);
  lines.push('');
  row('kill to adoption of a running job', spread(adoptions.map(({ ms }) => ms)));
  row('  nothing else killed in between', spread(adoptions.filter((each) => each.isUndisturbed).map(({ ms }) => ms)));
  row('kill of the API to the next claim', spread(recoveriesMs.server));
  row('kill of the control worker to the next end', spread(recoveriesMs.worker));
  row('kill of Temporal to the next end', spread(recoveriesMs.temporal));
  lines.push('', '  kills by step');
  for (const [step, n] of tally(deaths.map(({ kill, frozen }) => (frozen ? 'agent frozen' : nameOfKill(kill)))))
    row(`  ${step}`, n);
  for (const { what, evidence } of counts.filter((count) => count.evidence.length > 0)) {
    lines.push('', `${what}:`, ...evidence.slice(0, 20).map((each) => `  ${each}`));
    if (evidence.length > 20) lines.push(`  … and ${evidence.length - 20} more`);
  }
  if (missedSteps.length > 0) lines.push('', `nobody came to: ${missedSteps.join(', ')}`);
  if (kept !== undefined) lines.push('', `stories of these launches and the logs of all parts: ${kept}`);
  return lines;
}

export const isAllWell = ({ counts, missedSteps }: StormResult): boolean =>
  missedSteps.length === 0 && counts.every(({ evidence }) => evidence.length === 0);

function spread(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => `${((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) / 1000).toFixed(1)} s`;
  return `p50 ${at(0.5)}, max ${at(1)} (n = ${sorted.length})`;
}

function tally(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
