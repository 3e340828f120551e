/**
 * Queues, agents, launches and the line. The functions are the claim protocol (docs/claim-protocol.md): each is one transaction, takes the
 * line's lock before it touches a waiting row, and is safe to repeat.
 *
 * The lock and what is read under it stand in separate statements on purpose: in READ COMMITTED each statement of a function sees what was
 * committed when it began, so a row picked in the statement after the lock cannot be stale.
 */
export const name = '0002-line';

export const up = /* sql */ `
create table queue (
  id              int generated always as identity primary key,
  entity_id       int not null references entity,
  name            text not null,
  target          text not null,
  description     text not null default '',
  paused          boolean not null default false,
  require_run     boolean not null default true,
  resource_config jsonb not null default '{}',
  created_by      text not null default '',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- When the last claim of this line was made; what heals a line that does not move looks here.
  claimed_at      timestamptz,
  nudged_at       timestamptz,
  unique (entity_id, name)
);

create table agent (
  id             text primary key,
  entity_id      int not null references entity,
  name           text not null,
  incarnation    text not null,
  host           text not null default '',
  pid            int not null default 0,
  version        text not null default '',
  max_jobs       int not null,
  status         text not null default 'active' check (status in ('active', 'draining', 'stopped')),
  -- Target name -> place, check result.
  targets        jsonb not null default '{}',
  started_at     timestamptz not null default now(),
  heartbeat_at   timestamptz not null default now(),
  unique (entity_id, name)
);

create table agent_queue (
  agent_id text not null references agent on delete cascade,
  queue_id int not null references queue on delete cascade,
  primary key (agent_id, queue_id)
);

-- Ranks are far apart so that a launch can be put between two others.
create sequence line_rank;

create table launch (
  id                  text primary key,
  -- Usually launch/<id>; another when somebody started the workflow by hand.
  workflow_id         text not null,
  queue_id            int not null references queue,
  project_id          int not null references project,
  author              text not null,
  state               text not null,
  -- The present state in one sentence (unscheduled, installing requirements, ...).
  reason              text,

  priority            smallint not null,
  rank                bigint not null,
  held                boolean not null default false,

  -- The claim: id and epoch fence every late call of a lost claim.
  epoch               int not null default 0,
  claim               uuid,
  agent_id            text,
  incarnation         text,
  private_queue       text,
  -- Where the job can be seen from, once it may exist.
  place               text,
  attempt             int not null default 1,
  -- Set just before the target is asked to create this attempt's job.
  submitting          boolean not null default false,
  lost_agents         int not null default 0,

  -- Version of the row as told to the workflow; due = must be told (again) at this time.
  v                   bigint not null default 1,
  due                 timestamptz,
  -- The workflow is believed to exist.
  told                boolean not null default false,

  run_name            text not null,
  job_artifact_id     int references artifact,
  spec                jsonb not null,
  -- Names looked up and defaults filled in at enqueue (domain/resolved-launch.ts).
  request             jsonb not null,
  plan                jsonb,
  require_run         boolean not null default true,

  cancel_requested_at timestamptz,
  cancelled_by        text,
  failure             jsonb,
  exit_code           int,
  node                text,

  created_at          timestamptz not null default now(),
  claimed_at          timestamptz,
  started_at          timestamptz,
  ended_at            timestamptz,
  relaunch_of         text
);
create index launch_line on launch (queue_id, priority, rank) where state = 'queued' and not held;
create index launch_due on launch (due) where due is not null;
create index launch_unconfirmed on launch (claimed_at) where state = 'claimed';
create index launch_agent on launch (agent_id) where state not in ('queued', 'finished', 'failed', 'stopped');
create index launch_list on launch (project_id, id desc);
create index launch_queue_list on launch (queue_id, id desc);
create index launch_open on launch (id) where state not in ('finished', 'failed', 'stopped');
create index launch_run on launch (project_id, run_name);

create table ticket (
  -- Temporal run id / activity id: the workflow id alone would repeat "activity 1" when a workflow starts anew.
  id         text primary key,
  attempt    int not null,
  launch_id  text not null,
  claim      uuid not null,
  created_at timestamptz not null default now()
);
create index ticket_age on ticket (created_at);

create table launch_event (
  launch_id text not null,
  -- Who counts: 'line' (by v), 'workflow', 'agent:<claim>'. A retry writes the same number and changes nothing.
  writer    text not null,
  n         bigint not null,
  at        timestamptz not null default now(),
  type      text not null,
  data      jsonb not null default '{}',
  primary key (launch_id, writer, n)
);

create table launch_log_stream (
  launch_id text not null,
  attempt   int not null,
  stream    text not null check (stream in ('prepare', 'stdout', 'stderr')),
  length    bigint not null default 0,
  ended     boolean not null default false,
  primary key (launch_id, attempt, stream)
);

create table launch_log (
  launch_id text not null,
  -- Chunk number within the launch, from 1, without gap, over all attempts and streams.
  n         int not null,
  attempt   int not null,
  stream    text not null,
  from_byte bigint not null,
  at        timestamptz not null,
  data      bytea not null,
  primary key (launch_id, n)
);

-- A version that never goes back, not even after a fail-over that lost the last commits.
create function next_v(v bigint) returns bigint language sql as $$
  select greatest(v + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
$$;

create function line_event(p_launch text, p_n bigint, p_type text, p_data jsonb) returns void language sql as $$
  insert into launch_event (launch_id, writer, n, at, type, data)
  values (p_launch, 'line', p_n, clock_timestamp(), p_type, p_data) on conflict do nothing
$$;

-- How many launches of the line could be claimed now, counted up to 41: more than that changes nothing.
create function line_left(p_queue int) returns int language sql stable as $$
  select case when (select paused from queue where id = p_queue) then 0 else
    (select count(*)::int from (select 1 from launch where queue_id = p_queue and state = 'queued' and not held limit 41) waiting)
  end
$$;

-- Acceptance. Shared lock before the rank is drawn: enqueues run side by side, and a claim (exclusive lock) waits for those under way, so
-- that no launch with a lower rank can appear behind a claim. Answers the id of the launch that this key made before, if it did.
create function line_enqueue(
  p_id text, p_workflow text, p_queue int, p_project int, p_author text, p_priority smallint, p_run text, p_job int,
  p_spec jsonb, p_request jsonb, p_require_run boolean, p_relaunch_of text, p_window int,
  p_actor text, p_key text, p_hash text
) returns jsonb language plpgsql as $$
declare
  earlier idempotency;
  r launch;
begin
  perform pg_advisory_xact_lock_shared(1, p_queue);
  if p_key is not null then
    insert into idempotency (actor, key, request_hash, launch_id) values (p_actor, p_key, p_hash, p_id) on conflict do nothing;
    if not found then
      select * into earlier from idempotency where actor = p_actor and key = p_key;
      return jsonb_build_object('launchId', earlier.launch_id, 'created', false, 'conflict', earlier.request_hash <> p_hash);
    end if;
  end if;
  insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, job_artifact_id, spec, request,
    require_run, relaunch_of, due)
  values (p_id, p_workflow, p_queue, p_project, p_author, 'queued', p_priority, nextval('line_rank') * 1048576, p_run, p_job, p_spec,
    p_request, p_require_run, p_relaunch_of,
    case when (select count(*) from (select 1 from launch where queue_id = p_queue and state = 'queued' and not held limit p_window) w)
      < p_window then clock_timestamp() + interval '1 second' end)
  on conflict (id) do nothing returning * into r;
  if not found then
    return jsonb_build_object('launchId', p_id, 'created', false, 'conflict', false);
  end if;
  perform line_event(p_id, 1, 'queued', jsonb_build_object('priority', p_priority));
  insert into audit (actor, action, subject) values (p_actor, 'launch.enqueue', 'launch/' || p_id);
  return jsonb_build_object('launchId', p_id, 'created', true, 'conflict', false, 'inWindow', r.due is not null);
end $$;

-- Puts a claimed launch back in its own place. The caller holds the line's lock and the row.
create function line_back(p_launch text, p_reason text) returns void language plpgsql as $$
declare r launch;
begin
  update launch set
    state = case when cancel_requested_at is null then 'queued' else 'stopped' end,
    ended_at = case when cancel_requested_at is null then null else clock_timestamp() end,
    failure = case when cancel_requested_at is null then null else failure end,
    epoch = epoch + 1, claim = null, agent_id = null, incarnation = null, private_queue = null, place = null,
    submitting = false, node = null, claimed_at = null, started_at = null,
    reason = p_reason, v = next_v(v), due = clock_timestamp()
  where id = p_launch returning * into r;
  perform line_event(p_launch, r.v, case when r.state = 'queued' then 'returned' else 'stopped' end,
    jsonb_build_object('epoch', r.epoch, 'reason', p_reason));
end $$;

create function line_claim(
  p_queue int, p_ticket text, p_ticket_attempt int, p_agent text, p_incarnation text, p_private_queue text, p_place text
) returns jsonb language plpgsql as $$
declare
  tk ticket;
  r launch;
  answer text := 'none';
begin
  perform pg_advisory_xact_lock(1, p_queue);

  perform 1 from agent where id = p_agent and incarnation = p_incarnation;
  if not found then
    return jsonb_build_object('outcome', 'superseded', 'left', 0);
  end if;

  select * into tk from ticket where id = p_ticket;
  if found then
    if p_ticket_attempt < tk.attempt then
      return jsonb_build_object('outcome', 'stale', 'left', line_left(p_queue));
    end if;
    update ticket set attempt = p_ticket_attempt where id = p_ticket;
    select * into r from launch where id = tk.launch_id for update;
    if found and r.claim = tk.claim then
      if r.state <> 'claimed' then
        return jsonb_build_object('outcome', 'spent', 'left', line_left(p_queue));
      end if;
      if r.agent_id = p_agent and r.incarnation = p_incarnation then
        return jsonb_build_object('outcome', 'granted', 'launchId', r.id, 'claim', r.claim, 'epoch', r.epoch,
          'v', r.v, 'left', line_left(p_queue));
      end if;
      -- Temporal gave the ticket to another agent before the first one confirmed: back to its place, then pick afresh.
      perform line_back(r.id, 'the agent that took it did not confirm');
    end if;
  end if;

  if (select paused from queue where id = p_queue) then
    return jsonb_build_object('outcome', 'paused', 'left', 0);
  end if;

  select * into r from launch where queue_id = p_queue and state = 'queued' and not held
    order by priority, rank limit 1 for update;
  if not found then
    return jsonb_build_object('outcome', 'none', 'left', 0);
  end if;

  update launch set
    state = 'claimed', epoch = epoch + 1, claim = gen_random_uuid(), agent_id = p_agent, incarnation = p_incarnation,
    private_queue = p_private_queue, place = p_place, claimed_at = clock_timestamp(), reason = null,
    v = next_v(v), due = clock_timestamp() + interval '1.5 seconds'
  where id = r.id returning * into r;
  update queue set claimed_at = clock_timestamp() where id = p_queue;
  if p_ticket is not null then
    insert into ticket (id, attempt, launch_id, claim) values (p_ticket, p_ticket_attempt, r.id, r.claim)
    on conflict (id) do update set attempt = excluded.attempt, launch_id = excluded.launch_id, claim = excluded.claim;
  end if;
  perform line_event(r.id, r.v, 'claimed', jsonb_build_object('epoch', r.epoch, 'agent', p_agent, 'attempt', r.attempt));
  return jsonb_build_object('outcome', 'granted', 'launchId', r.id, 'claim', r.claim, 'epoch', r.epoch,
    'v', r.v, 'left', line_left(p_queue));
end $$;

-- First act of supervise. Only the row is touched: a claimed row is not in the line any more.
create function line_confirm(p_launch text, p_claim uuid, p_incarnation text) returns boolean language plpgsql as $$
begin
  update launch set state = 'preparing', due = null, v = next_v(v)
  where id = p_launch and claim = p_claim and state = 'claimed' and incarnation = p_incarnation;
  if found then
    return true;
  end if;
  -- A repeated confirm (its answer was lost) is still a yes while the claim lives.
  perform 1 from launch where id = p_launch and claim = p_claim and incarnation = p_incarnation
    and state not in ('queued', 'finished', 'failed', 'stopped');
  return found;
end $$;

-- Puts a launch back if the claim is still the one named: unconfirmed ones by anybody who notices, confirmed ones by its workflow.
create function line_give_back(
  p_launch text, p_claim uuid, p_unconfirmed_only boolean, p_agent_lost boolean, p_next_attempt boolean, p_reason text
) returns boolean language plpgsql as $$
declare
  q int;
  r launch;
begin
  select queue_id into q from launch where id = p_launch;
  if not found then return false; end if;
  perform pg_advisory_xact_lock(1, q);
  select * into r from launch where id = p_launch and claim = p_claim for update;
  if not found or r.state in ('queued', 'finished', 'failed', 'stopped') or (p_unconfirmed_only and r.state <> 'claimed') then
    return false;
  end if;
  update launch set
    lost_agents = lost_agents + case when p_agent_lost then 1 else 0 end,
    attempt = attempt + case when p_next_attempt then 1 else 0 end
  where id = p_launch;
  perform line_back(p_launch, p_reason);
  return true;
end $$;

-- waiting or not yet confirmed: stopped at once. Later: stopping, and the workflow is told to kill. Ended: nothing.
create function line_cancel(p_launch text, p_actor text, p_failure jsonb) returns text language plpgsql as $$
declare
  q int;
  r launch;
begin
  select queue_id into q from launch where id = p_launch;
  if not found then return null; end if;
  perform pg_advisory_xact_lock(1, q);
  select * into r from launch where id = p_launch for update;
  if r.state in ('finished', 'failed', 'stopped') or r.cancel_requested_at is not null then
    return r.state;
  end if;
  if r.state in ('queued', 'claimed') then
    -- Due without being told: somebody may have made its workflow and died before saying so.
    update launch set state = 'stopped', cancel_requested_at = clock_timestamp(), cancelled_by = p_actor, failure = p_failure,
      ended_at = clock_timestamp(), reason = null, v = next_v(v),
      due = case when told or due is not null then clock_timestamp() end
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'stopped', jsonb_build_object('by', p_actor));
  else
    update launch set state = 'stopping', cancel_requested_at = clock_timestamp(), cancelled_by = p_actor, failure = p_failure,
      v = next_v(v), due = clock_timestamp()
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'stopping', jsonb_build_object('by', p_actor));
  end if;
  return r.state;
end $$;

-- Everything that needs attention is said on this channel: 'launch <id>'. Live readers re-read what they show.
create function notify_launch() returns trigger language plpgsql as $$
begin
  perform pg_notify('davit', 'launch ' || new.launch_id);
  return null;
end $$;
-- Not for acceptance: notifying commits queue behind one lock, and nobody can be watching a launch that did not exist.
create trigger launch_event_notify after insert on launch_event for each row when (new.type <> 'queued')
  execute function notify_launch();
create trigger launch_log_notify after insert on launch_log for each row execute function notify_launch();
`;
