import { expect } from 'vitest';
import { until } from '../../support/until.js';
import type { ScenarioContext } from './scenario.js';

/** A run as any client may see it. */
export interface SeenRun {
  id: string;
  name: string;
  displayName: string;
  state: string;
  config: Record<string, unknown>;
  summary: Record<string, unknown>;
  notes: string;
  tags: string[];
  group: string | null;
  jobType: string | null;
  /** Each line of history. */
  history: Record<string, unknown>[];
  console: string[];
}

interface Answer {
  project: {
    run:
      | (Omit<SeenRun, 'config' | 'summary' | 'history' | 'console'> & {
          config: string;
          summaryMetrics: string;
          history: string[];
          logLines: { edges: { node: { line: string } }[] };
        })
      | null;
  } | null;
}

const query = `query Look($project: String, $run: String) { project(name: $project, entityName: "ada") { run(name: $run) {
  id name displayName state config summaryMetrics notes tags group jobType history(samples: 10000) logLines(first: 10000) { edges { node { line } } } } } }`;

/** Undefined while there is no such run. Configs without what the client keeps for itself. */
export async function look({ api, project }: ScenarioContext, run: string): Promise<SeenRun | undefined> {
  const answer = await api.graphql<Answer>(query, { project, run });
  expect(answer.errors).toBeUndefined();
  const found = answer.data.project?.run;
  if (!found) return undefined;
  const { config, summaryMetrics, history, logLines, ...rest } = found;
  const entries = Object.entries(JSON.parse(config) as Record<string, { value: unknown }>);
  return {
    ...rest,
    config: Object.fromEntries(entries.filter(([key]) => key !== '_wandb').map(([key, { value }]) => [key, value])),
    summary: JSON.parse(summaryMetrics) as Record<string, unknown>,
    history: history.map((line) => JSON.parse(line) as Record<string, unknown>),
    console: logLines.edges.map(({ node }) => node.line),
  };
}

export async function lookAt(ctx: ScenarioContext, run: string): Promise<SeenRun> {
  const found = await look(ctx, run);
  expect(found, `the run ${run}`).toBeDefined();
  return found as SeenRun;
}

/** Waits until the server has so many lines of history. */
export const untilLogged = (ctx: ScenarioContext, run: string, lines: number): Promise<SeenRun> =>
  until(
    async () => {
      const found = await look(ctx, run);
      return found && found.history.length >= lines ? found : undefined;
    },
    { what: `${lines} lines of ${run}`, ms: 300_000, everyMs: 200 },
  );

export const stepsOf = (run: SeenRun): unknown[] => run.history.map((line) => line['_step']);
/** Console lines that have the word; a client prints lines of its own around them. */
export const printed = (run: SeenRun, word: string): string[] => run.console.filter((line) => line.includes(word));
