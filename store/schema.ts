import type { ImageInUse } from '../domain/image-in-use.js';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { Failure } from '../domain/errors.js';
import type { JobPlan } from '../domain/job-plan.js';
import type { InputChecks } from '../domain/launch-inputs.js';
import type { LaunchRequest } from '../domain/launch-request.js';
import type { MetricStats } from '../domain/metric-stats.js';
import type { Loss } from '../domain/parking.js';
import type { LineBases, WriterLines } from '../domain/line-places.js';
import type { ResolvedLaunch } from '../domain/resolved-launch.js';
import type { TemplateVariables } from '../domain/resource-config.js';
import type { RetryPolicy, Timeouts } from '../domain/retry-policy.js';
import type { SweepState } from '../domain/sweeps/state.js';
import type { Discipline, HoldCause, LaunchState, LogStream, Role, RunState, TargetName } from '../domain/words.js';

/** The tables as Kysely sees them. The truth is in migrations/. */

type At = ColumnType<Date, Date | undefined, Date>;
/** Which lines of a run hold numbers. */
export type MetricFile = 'history' | 'events';
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
    /** Of agents: the queues it may serve; null = every queue of its entity. */
    queue_ids: Maybe<number[]>;
  };
  project: {
    id: Generated<number>;
    entity_id: number;
    name: string;
    description: Generated<string>;
    created_at: At;
    any_artifact_type: Generated<boolean>;
    updated_at: At;
  };
  registry_artifact_type: { project_id: number; name: string; created_at: At };
  blob: { key: string; size: number; created_at: At };
  artifact_collection: {
    id: Generated<number>;
    project_id: number;
    type: string;
    name: string;
    description: Generated<string>;
    next_index: Generated<number>;
    created_at: At;
    kind: ColumnType<CollectionKind, CollectionKind | undefined, CollectionKind>;
    state: ColumnType<CollectionState, CollectionState | undefined, CollectionState>;
    updated_at: At;
  };
  artifact: {
    id: Generated<number>;
    /** The sequence that it was logged to. */
    collection_id: number;
    version_index: Maybe<number>;
    state: ArtifactState;
    digest: string;
    description: Generated<string>;
    /** JSON text, verbatim. */
    metadata: Generated<string>;
    size: Big;
    file_count: Generated<number>;
    created_by: Generated<string>;
    run_id: Maybe<number>;
    /** The name of the run that logged it and was deleted since. */
    deleted_run: Maybe<string>;
    created_at: At;
    committed_at: MaybeAt;
    digest_algorithm: ColumnType<DigestAlgorithm, DigestAlgorithm | undefined, DigestAlgorithm>;
    client_digest: Generated<string>;
    distributed_id: Maybe<string>;
    history_step: Maybe<number>;
    /** null: inherited; -2: off. */
    ttl_seconds: Maybe<number>;
    expires_at: MaybeAt;
    storage_layout: ColumnType<StorageLayout, StorageLayout | undefined, StorageLayout>;
    storage_region: Maybe<string>;
    manifest_type: ColumnType<ManifestType, ManifestType | undefined, ManifestType>;
    user_id: Maybe<number>;
    wanted_aliases: Generated<string[]>;
    updated_at: At;
    deleted_at: MaybeAt;
  };
  artifact_client_id: { project_id: number; client_id: string; artifact_id: number };
  artifact_sequence_client_id: { project_id: number; client_id: string; collection_id: number };
  artifact_membership: {
    id: Generated<number>;
    collection_id: number;
    artifact_id: number;
    version_index: number;
    created_at: At;
  };
  artifact_alias: { collection_id: number; alias: string; artifact_id: number; created_at: At };
  artifact_tag: { artifact_id: number; tag: string; created_at: At };
  artifact_collection_tag: { collection_id: number; tag: string; created_at: At };
  artifact_usage: { run_id: number; artifact_id: number; used_as: Maybe<string>; created_at: At };
  artifact_manifest: {
    id: Generated<number>;
    artifact_id: number;
    run_id: Maybe<number>;
    name: string;
    type: ManifestType;
    base_artifact_id: Maybe<number>;
    digest: Generated<string>;
    blob_key: string;
    size: Maybe<number>;
    current: Generated<boolean>;
    created_at: At;
  };
  artifact_blob: {
    key: string;
    project_id: number;
    md5: string;
    size: Maybe<number>;
    upload_id: Maybe<string>;
    removing: Generated<boolean>;
    suspect: Generated<boolean>;
    created_at: At;
  };
  artifact_upload: { artifact_id: number; md5: string; blob_key: string };
  artifact_file: {
    artifact_id: number;
    path: string;
    md5: string;
    size: number;
    blob_key: string;
    birth_artifact_id: Maybe<number>;
  };
  artifact_reference: { artifact_id: number; path: string; ref: string; digest: string; size: Maybe<number> };
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
    /** How many processes have begun it anew; 0: none yet. */
    life: Generated<number>;
    life_at: MaybeAt;
    spoken: Generated<boolean>;
    line_base: Json<LineBases>;
  };
  run_writer: {
    run_id: number;
    client: string;
    lines: Json<WriterLines>;
    leads: Generated<boolean>;
    ended: Generated<boolean>;
    seen_at: At;
  };
  run_alert: { id: Generated<number>; run_id: number; at: At; title: string; text: string; severity: string };
  custom_chart: {
    id: Generated<number>;
    entity_id: number;
    name: string;
    display_name: Generated<string>;
    type: Generated<string>;
    access: Generated<string>;
    spec: Generated<string>;
    created_by: Generated<string>;
    created_at: At;
  };
  /** Migration 0020; store/run-keys.ts. */
  run_key: {
    id: Generated<number>;
    project_id: number;
    doc: 'config' | 'summary';
    path: string[];
    place: number;
    state: Generated<'filling' | 'ready' | 'wide'>;
    filled_to: Generated<number>;
    only_numbers: Generated<boolean>;
    asked_on: Generated<string>;
  };
  /** Kept by triggers (migration 0016). */
  run_config: { run_id: number; project_id: number; created_at: At; content: Json<Record<string, unknown>> };
  run_summary: { run_id: number; project_id: number; created_at: At; content: Json<Record<string, unknown>> };
  unanswered: {
    kind: string;
    name: string;
    operation: string;
    count: Big;
    first_at: At;
    last_at: At;
    client: Generated<string>;
  };
  run_line: { run_id: number; file: 'history' | 'events' | 'log'; line: number; content: string };
  metric_fold: {
    run_id: number;
    file: MetricFile;
    folded: Generated<number>;
    dirty: Generated<number[]>;
    partial: Generated<boolean>;
  };
  metric_segment: {
    run_id: number;
    file: MetricFile;
    first: number;
    until: number;
    lines: number;
    present: Maybe<Buffer>;
  };
  metric_chunk: {
    run_id: number;
    file: MetricFile;
    key: string;
    first: number;
    until: number;
    lines: number;
    present: Maybe<Buffer>;
    numbers: Maybe<Buffer>;
    stats: Json<MetricStats>;
    low: Maybe<number>;
    high: Maybe<number>;
  };
  run_metric: { run_id: number; file: MetricFile; key: string; stats: Json<MetricStats> };
  history_export: {
    id: Generated<number>;
    run_id: Maybe<number>;
    project_id: Maybe<number>;
    run_name: string;
    first: number;
    until: number;
    blob_key: Maybe<string>;
    begun_at: At;
    made_at: MaybeAt;
    spoiled: Generated<boolean>;
  };
  run_file: {
    run_id: number;
    name: string;
    blob_key: string;
    size: Maybe<number>;
    /** Base64. Unknown for storage that does not tell. */
    md5: Maybe<string>;
    created_at: At;
    uploaded_at: MaybeAt;
  };
  sweep: {
    id: Generated<number>;
    project_id: number;
    name: string;
    display_name: Generated<string>;
    description: Generated<string>;
    state: ColumnType<SweepState, SweepState | undefined, SweepState>;
    config: string;
    method: Generated<string>;
    controller: Maybe<string>;
    scheduler: Maybe<string>;
    user_id: Maybe<number>;
    decided: Generated<number>;
    grid_next: Big;
    exhausted: Generated<boolean>;
    judged_at: MaybeAt;
    created_at: At;
    updated_at: At;
    heartbeat_at: MaybeAt;
  };
  sweep_agent: {
    id: Generated<number>;
    sweep_id: number;
    name: string;
    host: Generated<string>;
    actor: Generated<string>;
    exited: Generated<boolean>;
    created_at: At;
    heartbeat_at: At;
  };
  sweep_set: {
    sweep_id: number;
    n: number;
    origin: 'search' | 'enqueued' | 'controller' | 'prior' | 'foreign';
    state: 'waiting' | 'given' | 'started' | 'ended';
    run_name: string;
    args: string;
    key: string;
    agent_id: Maybe<number>;
    gives: Generated<number>;
    resumes: Generated<boolean>;
    stop: Generated<boolean>;
    former: Generated<string[]>;
    created_at: At;
    given_at: MaybeAt;
  };
  audit: {
    id: Generated<number>;
    at: At;
    actor: string;
    action: string;
    subject: string;
    data: Json<Record<string, unknown>>;
    /** The bulk whose work it was; filled in by the database. */
    bulk: Maybe<string>;
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
    template_variables: Json<TemplateVariables>;
    inputs: ColumnType<InputChecks, InputChecks | undefined, InputChecks>;
    created_by: Generated<string>;
    created_at: At;
    updated_at: At;
    claimed_at: MaybeAt;
    nudged_at: MaybeAt;
    draining: Generated<boolean>;
    priorities: Generated<boolean>;
    discipline: ColumnType<Discipline, Discipline | undefined, Discipline>;
    max_running: Maybe<number>;
    max_running_per_project: Maybe<number>;
    max_waiting: Maybe<number>;
    ttl_ms: Maybe<number>;
    retry: MaybeJson<RetryPolicy>;
    timeouts: MaybeJson<Timeouts>;
    paused_by: Maybe<string>;
    paused_at: MaybeAt;
    pause_reason: Maybe<string>;
    drained_by: Maybe<string>;
    drained_at: MaybeAt;
    drain_reason: Maybe<string>;
    deleted_at: MaybeAt;
    /** Names that its launches may use. */
    secrets: Generated<string[]>;
    /** Given to every job of it: variable → name. */
    secret_variables: Json<Record<string, string>>;
  };
  secret: {
    id: Generated<number>;
    entity_id: number;
    name: string;
    description: Generated<string>;
    version: Generated<number>;
    key_id: string;
    sealed: Buffer;
    created_by: string;
    created_at: At;
    updated_by: string;
    updated_at: At;
    used_at: MaybeAt;
  };
  launch_secret: {
    id: ColumnType<number, never, never>;
    launch_id: string;
    name: string;
    key_id: string;
    sealed: Buffer;
  };
  queue_project: { queue_id: number; project_id: number; max_running: Maybe<number>; weight: Generated<number> };
  line: { queue_id: number; class: string; requires: Json<Record<string, string>>; created_at: At };
  agent_trouble: {
    agent_id: string;
    claim: string;
    launch_id: string;
    at: At;
    code: string;
    message: Generated<string>;
  };
  launch_estimate: {
    launch_id: string;
    queue_id: Generated<number>;
    epoch: Generated<number>;
    made_at: At;
    earliest: Date;
    latest: Date;
    claimed_at: MaybeAt;
  };
  bulk: {
    id: string;
    entity_id: number;
    queue_id: Maybe<number>;
    actor: string;
    action: string;
    filter: Json<Record<string, unknown>>;
    params: Json<Record<string, unknown>>;
    state: ColumnType<BulkState, BulkState | undefined, BulkState>;
    total: Generated<number>;
    done: Generated<number>;
    skipped: Generated<number>;
    failed: Generated<number>;
    failures: Json<Record<string, number>>;
    work: Json<object>;
    cursor: Maybe<string>;
    error: Maybe<string>;
    due: MaybeAt;
    created_at: At;
    updated_at: At;
  };
  bulk_launch: { bulk_id: string; n: number; launch_id: string; queue_id: number };
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
    labels: Json<Record<string, string>>;
    wanted: ColumnType<AgentStatus, AgentStatus | undefined, AgentStatus>;
    wanted_by: Maybe<string>;
    quarantined_at: MaybeAt;
    quarantine: MaybeJson<Quarantine>;
    probe_after: MaybeAt;
    probe_launch: Maybe<string>;
    /** Different launches that must fail on it in a row until it takes nothing more; 0: never. */
    quarantine_after: Generated<number>;
    probe_ms: Maybe<number>;
    /** The key that its process said hello with. */
    key_id: Maybe<string>;
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
    class: Generated<string>;
    requires: Json<Record<string, string>>;
    hold: Maybe<HoldCause>;
    held_by: Maybe<string>;
    hold_reason: Maybe<string>;
    release_at: MaybeAt;
    expires_at: MaybeAt;
    deadline_at: MaybeAt;
    deadline: Maybe<string>;
    stop_cause: Maybe<string>;
    retry: MaybeJson<RetryPolicy>;
    timeouts: MaybeJson<Timeouts>;
    retries: Json<Record<string, number>>;
    losses: Json<Loss[]>;
    queued_at: At;
    /** What ran: by digest. */
    image: MaybeJson<ImageInUse>;
  };
  build_lock: {
    entity_id: number;
    key: string;
    launch_id: string;
    claim: string;
    expires_at: Date;
  };
  job_image: {
    artifact_id: number;
    inputs: string;
    image: string;
    name: string;
    facts: Json<Record<string, unknown>>;
    built_at: At;
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

export type ArtifactState = 'PENDING' | 'COMMITTED' | 'DELETED';
export type CollectionKind = 'SEQUENCE' | 'PORTFOLIO';
export type CollectionState = 'READY' | 'DELETED';
export type ManifestType = 'FULL' | 'INCREMENTAL' | 'PATCH';
export type DigestAlgorithm = 'MANIFEST_MD5' | 'MANIFEST_XXH128';
export type StorageLayout = 'V1' | 'V2';

export type AgentStatus = 'active' | 'draining' | 'stopped';

export type BulkState = 'running' | 'done' | 'cancelled';

/** Why an agent takes nothing. */
export interface Quarantine {
  reason: string;
  launches: { launchId: string; code: string; message: string; at: string }[];
  /** Who put it there; `davit`: its failures did. */
  by: string;
}

export interface AgentTarget {
  place: string;
  ok: boolean;
  details: string[];
}
