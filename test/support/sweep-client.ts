import { expect } from 'vitest';
import type { TrackingApi } from './tracking-api.js';

/** Sweeps by hand: the requests that the client's agents and commands send, with the answers read. */

export interface Command {
  type: 'run' | 'resume' | 'stop' | 'exit';
  run_id: string;
  program: string | null;
  args: Record<string, { value: unknown }>;
}

export interface SweepClient {
  create(config: string, more?: Record<string, unknown>): Promise<{ id: string; name: string; warnings: string[] }>;
  /** The sentences with which a config is refused. */
  refused(config: string, more?: Record<string, unknown>): Promise<string>;
  change(id: string, fields: Record<string, unknown>): Promise<string | undefined>;
  agent(sweep: string): Promise<string>;
  /** Each live run named. */
  beat(agent: string, ...alive: string[]): Promise<Command[]>;
  /** The commands' JSON text itself. */
  beatText(agent: string): Promise<string>;
  state(sweep: string): Promise<string>;
  /** What a run of the agent does: begins, logs losses, ends. */
  run(
    sweep: string,
    run: string,
    losses: number[],
    options?: { exitCode?: number; open?: boolean; config?: string },
  ): Promise<void>;
}

export function sweepClient(
  api: Pick<TrackingApi, 'graphql' | 'fileStream'>,
  project: string,
  key?: string,
  entity = 'ada',
): SweepClient {
  const upsert = (input: Record<string, unknown>) =>
    api.graphql<{ upsertSweep: { sweep: { id: string; name: string }; configValidationWarnings: string[] } }>(
      `mutation UpsertSweep($input: UpsertSweepInput!) { upsertSweep(input: $input) { sweep { id name } configValidationWarnings } }`,
      { input },
      key,
    );
  const beatText = async (agent: string, alive: string[]): Promise<string> => {
    const { data, errors } = await api.graphql<{ agentHeartbeat: { commands: string } }>(
      'mutation Heartbeat($id: ID!, $runState: JSONString) { agentHeartbeat(input: {id: $id, metrics: "{}", runState: $runState}) { agent { id } commands } }',
      { id: agent, runState: JSON.stringify(Object.fromEntries(alive.map((name) => [name, true]))) },
      key,
    );
    expect(errors).toBeUndefined();
    return data.agentHeartbeat.commands;
  };
  return {
    async create(config, more = {}) {
      const { data, errors } = await upsert({ config, projectName: project, ...more });
      expect(errors).toBeUndefined();
      const { sweep, configValidationWarnings } = data.upsertSweep;
      return { ...sweep, warnings: configValidationWarnings };
    },
    async refused(config, more = {}) {
      const { errors = [] } = await upsert({ config, projectName: project, ...more });
      return errors.map((e) => e.message).join('\n');
    },
    async change(id, fields) {
      const { errors } = await upsert({ id, ...fields });
      return errors?.[0]?.message;
    },
    async agent(sweep) {
      const { data, errors } = await api.graphql<{ createAgent: { agent: { id: string } } }>(
        'mutation CreateAgent($p: String, $s: String!) { createAgent(input: {host: "box", projectName: $p, sweep: $s}) { agent { id } } }',
        { p: project, s: sweep },
        key,
      );
      expect(errors).toBeUndefined();
      return data.createAgent.agent.id;
    },
    beat: async (agent, ...alive) => JSON.parse(await beatText(agent, alive)) as Command[],
    beatText: (agent) => beatText(agent, []),
    async state(sweep) {
      const { data } = await api.graphql<{ project: { sweep: { state: string } } }>(
        'query S($p: String, $s: String!) { project(name: $p) { sweep(sweepName: $s) { state } } }',
        { p: project, s: sweep },
        key,
      );
      return data.project.sweep.state;
    },
    async run(sweep, run, losses, options = {}) {
      const { errors } = await api.graphql(
        'mutation U($n: String, $p: String, $s: String, $c: JSONString) { upsertBucket(input: {name: $n, modelName: $p, sweep: $s, config: $c}) { inserted } }',
        { n: run, p: project, s: sweep, c: options.config ?? '{}' },
      );
      expect(errors).toBeUndefined();
      const { status } = await api.fileStream(`${entity}/${project}/${run}`, {
        files: {
          'wandb-history.jsonl': {
            offset: 0,
            content: losses.map((loss, i) => JSON.stringify({ _step: i, loss, _timestamp: 1, _runtime: 1 })),
          },
          'wandb-summary.json': { offset: 0, content: [JSON.stringify({ loss: losses.at(-1) ?? null })] },
        },
        ...(options.open ? {} : { complete: true, exitcode: options.exitCode ?? 0 }),
      });
      expect(status).toBe(200);
    },
  };
}
