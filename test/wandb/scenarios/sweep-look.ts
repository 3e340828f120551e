import { expect } from 'vitest';
import type { PythonResult } from '../../support/run-python.js';
import type { ScenarioContext } from './scenario.js';

/** What a scenario of sweeps looks at. */

/** Lines that a program printed for the test: `OUT <json>`. */
export const out = (result: PythonResult): unknown[] =>
  result.output.split('\n').flatMap((line) => (line.startsWith('OUT ') ? [JSON.parse(line.slice(4)) as unknown] : []));

/** The client warns of things of its own making (a working directory for nothing); what it says about the server is what counts. */
export const complaints = (result: PythonResult): string[] =>
  result.complaints.filter((line) => !/Ctrl|KeyboardInterrupt/.test(line));

export const stateOf = async ({ api, project }: ScenarioContext, sweep: string): Promise<string> => {
  const { data } = await api.graphql<{ project: { sweep: { state: string } } }>(
    'query S($p: String, $s: String) { project(name: $p) { sweep(sweepName: $s) { state } } }',
    { p: project, s: sweep },
  );
  return data.project.sweep.state;
};

export const runsOf = async ({ api, project }: ScenarioContext, sweep: string) => {
  const { data } = await api.graphql<{
    project: {
      sweep: { runs: { edges: { node: { name: string; state: string; config: string; sweepName: string } }[] } };
    };
  }>(
    'query R($p: String, $s: String) { project(name: $p) { sweep(sweepName: $s) { runs { edges { node { name state config sweepName } } } } } }',
    { p: project, s: sweep },
  );
  return data.project.sweep.runs.edges.map(({ node }) => node);
};

/** The id of the sweep that `wandb sweep` said it made. */
export function sweepIn(made: PythonResult): string {
  const id = /wandb agent \S*?([a-z0-9]{8})\b(?!\/)/.exec(stripped(made.output))?.[1] ?? '';
  expect(id, made.output).not.toBe('');
  return id;
}

/** Without the colours of a terminal. */
// eslint-disable-next-line no-control-regex -- they begin with one
const stripped = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');
