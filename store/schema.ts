import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { Failure } from '../domain/errors.js';
import type { JobPlan } from '../domain/job-plan.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import type { ResolvedLaunch } from '../domain/resolved-launch.js';
import type { LaunchState, LogStream, Role, RunState, TargetName } from '../domain/words.js';

/** The tables as Kysely sees them. The truth is in migrations/. */

type At = ColumnType<Date, Date | undefined, Date>;
type MaybeAt = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Maybe<T> = ColumnType<T | null, T | null | undefined, T | null>;
type Json<T extends object> = JSONColumnType<T, string | undefined, string>;
type MaybeJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;
/** bigint: read as number (store/open.ts), safe below 2^53. */
type Big = ColumnType<number, number | undefined, number>;

export interface Schema {
  setting: { key: string; value: string };
  entity: { id: Generated<number>; name: string; kind: 'user' | 'team'; created_at: At };
  user_account: {
    id: Generated<number>;
    entity_id: number;
    username: string;
    email: Generated<string>;
    display_name: Generated<string>;
    is_admin: Generated<boolean>;
    created_at: At;
  };
  member: { entity_id: number; user_id: number; role: Role };
  api_key: {
    id: Generated<string>;
    kind: 'user' | 'agent' | 'run';
    hash: Buffer;
    hint: string;
    description: Generated<string>;
    user_id: Maybe<number>;
    entity_id: Maybe<number>;
    launch_id: Maybe<string>;
    created_at: At;
    expires_at: MaybeAt;
    revoked_at: MaybeAt;
    last_used_at: MaybeAt;
  };
  project: { id: Generated<number>; entity_id: number; name: string; description: Generated<string>; created_at: At };
  blob: { key: string; size: number; created_at: At };
  artifact_collection: {
    id: Generated<number>;
    project_id: number;
    type: string;
    name: string;
    description: Generated<string>;
    next_index: Generated<number>;
    created_at: At;
  };
  artifact: {
    id: Generated<number>;
    collection_id: number;
    version_index: Maybe<number>;
    state: 'PENDING' | 'COMMITTED' | 'DELETED';
    digest: string;
    description: Generated<string>;
    metadata: Json<Record<string, unknown>>;
    size: Big;
    file_count: Generated<number>;
    client_id: Maybe<string>;
    created_by: Generated<string>;
    run_id: Maybe<number>;
    created_at: At;
    committed_at: MaybeAt;
  };
  artifact_alias: { collection_id: number; alias: string; artifact_id: number };
  artifact_file: { artifact_id: number; path: string; md5: string; size: number; blob_key: string };
  run: {
    id: Generated<number>;
    project_id: number;
    name: string;
    display_name: string;
    state: ColumnType<RunState, RunState | undefined, RunState>;
    config: Generated<string>;
    summary: Generated<string>;
    notes: Generated<string>;
    description: Generated<string>;
    tags: Generated<string[]>;
    group_name: Generated<string>;
    job_type: Generated<string>;
    host: Generated<string>;
    program: Generated<string>;
    repo: Generated<string>;
    commit: Generated<string>;
    sweep_name: Maybe<string>;
    user_id: Maybe<number>;
    launch_id: Maybe<string>;
    stopped: Generated<boolean>;
    exit_code: Maybe<number>;
    history_lines: Generated<number>;
    events_lines: Generated<number>;
    log_lines: Generated<number>;
    created_at: At;
    heartbeat_at: At;
    ended_at: MaybeAt;
  };
  run_line: { run_id: number; file: 'history' | 'events' | 'log'; line: number; content: string };
  run_file: {
    run_id: number;
    name: string;
    blob_key: string;
    size: Maybe<number>;
    created_at: At;
    uploaded_at: MaybeAt;
  };
  audit: {
    id: Generated<number>;
    at: At;
    actor: string;
    action: string;
    subject: string;
    data: Json<Record<string, unknown>>;
  };
  idempotency: { actor: string; key: string; request_hash: string; launch_id: string; created_at: At };
  queue: {
    id: Generated<number>;
    entity_id: number;
    name: string;
    target: TargetName;
    description: Generated<string>;
    paused: Generated<boolean>;
    require_run: Generated<boolean>;
    resource_config: Json<Record<string, unknown>>;
    created_by: Generated<string>;
    created_at: At;
    updated_at: At;
    claimed_at: MaybeAt;
    nudged_at: MaybeAt;
  };
  agent: {
    id: string;
    entity_id: number;
    name: string;
    incarnation: string;
    host: Generated<string>;
    pid: Generated<number>;
    version: Generated<string>;
    max_jobs: number;
    status: ColumnType<AgentStatus, AgentStatus | undefined, AgentStatus>;
    targets: Json<Record<string, AgentTarget>>;
    started_at: At;
    heartbeat_at: At;
  };
  agent_queue: { agent_id: string; queue_id: number };
  launch: {
    id: string;
    workflow_id: string;
    queue_id: number;
    project_id: number;
    author: string;
    state: LaunchState;
    reason: Maybe<string>;
    priority: number;
    rank: Big;
    held: Generated<boolean>;
    epoch: Generated<number>;
    claim: Maybe<string>;
    agent_id: Maybe<string>;
    incarnation: Maybe<string>;
    private_queue: Maybe<string>;
    place: Maybe<string>;
    attempt: Generated<number>;
    submitting: Generated<boolean>;
    lost_agents: Generated<number>;
    v: Big;
    due: MaybeAt;
    told: Generated<boolean>;
    run_name: string;
    job_artifact_id: Maybe<number>;
    spec: Json<LaunchRequest>;
    request: Json<ResolvedLaunch>;
    plan: MaybeJson<JobPlan>;
    require_run: Generated<boolean>;
    cancel_requested_at: MaybeAt;
    cancelled_by: Maybe<string>;
    failure: MaybeJson<Failure>;
    exit_code: Maybe<number>;
    node: Maybe<string>;
    created_at: At;
    claimed_at: MaybeAt;
    started_at: MaybeAt;
    ended_at: MaybeAt;
    relaunch_of: Maybe<string>;
  };
  ticket: { id: string; attempt: number; launch_id: string; claim: string; created_at: At };
  launch_event: {
    launch_id: string;
    writer: string;
    n: number;
    at: At;
    type: string;
    data: Json<Record<string, unknown>>;
  };
  launch_log_stream: { launch_id: string; attempt: number; stream: LogStream; length: Big; ended: Generated<boolean> };
  launch_log: {
    launch_id: string;
    n: number;
    attempt: number;
    stream: LogStream;
    from_byte: number;
    at: Date;
    data: Buffer;
  };
}

export type AgentStatus = 'active' | 'draining' | 'stopped';

export interface AgentTarget {
  place: string;
  ok: boolean;
  details: string[];
}
