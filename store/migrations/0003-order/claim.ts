/** Acceptance and claim, with what migration 0002 did not know: limits, classes, quarantine, hold, time-to-live. */
export const claim = /* sql */ `
drop function line_enqueue(text, text, int, int, text, smallint, text, int, jsonb, jsonb, boolean, text, int, text, text, text);
-- Acceptance. Shared lock before the rank is drawn: enqueues run side by side, and a claim (exclusive lock) waits for those under way, so
-- that no launch with a lower rank can appear behind a claim. A queue with a limit on its depth is counted under the exclusive lock.
-- Answers the id of the launch that this key made before, if it did.
create function line_enqueue(
  p_id text, p_workflow text, p_queue int, p_project int, p_author text, p_priority smallint, p_run text, p_job int,
  p_spec jsonb, p_request jsonb, p_require_run boolean, p_relaunch_of text, p_window int,
  p_actor text, p_key text, p_hash text,
  p_class text, p_requires jsonb, p_hold boolean, p_ttl_ms bigint, p_retry jsonb, p_timeouts jsonb
) returns jsonb language plpgsql as $$
declare
  earlier idempotency;
  r launch;
  q queue;
  n record;
begin
  if (select max_waiting from queue where id = p_queue) is null then
    perform pg_advisory_xact_lock_shared(1, p_queue);
  else
    perform pg_advisory_xact_lock(1, p_queue);
  end if;
  if p_key is not null then
    insert into idempotency (actor, key, request_hash, launch_id) values (p_actor, p_key, p_hash, p_id) on conflict do nothing;
    if not found then
      select * into earlier from idempotency where actor = p_actor and key = p_key;
      return jsonb_build_object('launchId', earlier.launch_id, 'created', false, 'conflict', earlier.request_hash <> p_hash);
    end if;
  end if;

  select * into q from queue where id = p_queue;
  if not exists (select 1 from launch where id = p_id) then
    if q.deleted_at is not null then
      raise exception using errcode = 'DV001', message = 'unknown-queue';
    elsif q.draining then
      raise exception using errcode = 'DV001', message = 'queue-draining';
    elsif not q.priorities and p_priority <> 2 then
      raise exception using errcode = 'DV001', message = 'priority-not-allowed';
    elsif q.max_waiting is not null then
      select * into n from line_counts(p_queue);
      if n.waiting + n.held >= q.max_waiting then
        raise exception using errcode = 'DV001', message = 'queue-full';
      end if;
    end if;
  end if;

  if p_class <> '' then
    insert into line (queue_id, class, requires) values (p_queue, p_class, p_requires) on conflict do nothing;
  end if;
  insert into launch (id, workflow_id, queue_id, project_id, author, state, priority, rank, run_name, job_artifact_id, spec, request,
    require_run, relaunch_of, class, requires, held, hold, held_by, expires_at, retry, timeouts, due)
  values (p_id, p_workflow, p_queue, p_project, p_author, 'queued', p_priority, nextval('line_rank') * 1048576, p_run, p_job, p_spec,
    p_request, p_require_run, p_relaunch_of, p_class, p_requires, p_hold, case when p_hold then 'user' end, case when p_hold then p_actor end,
    clock_timestamp() + make_interval(secs => coalesce(p_ttl_ms, q.ttl_ms) / 1000.0), coalesce(p_retry, q.retry), p_timeouts,
    case when not p_hold
      and (select count(*) from (select 1 from launch where queue_id = p_queue and state = 'queued' and not held limit p_window) w) < p_window
      then clock_timestamp() + interval '1 second' end)
  on conflict (id) do nothing returning * into r;
  if not found then
    return jsonb_build_object('launchId', p_id, 'created', false, 'conflict', false);
  end if;
  perform line_event(p_id, 1, 'queued', jsonb_build_object('priority', p_priority));
  if p_hold then
    perform line_event(p_id, 2, 'held', jsonb_build_object('by', p_actor));
  end if;
  insert into audit (actor, action, subject) values (p_actor, 'launch.enqueue', 'launch/' || p_id);
  return jsonb_build_object('launchId', p_id, 'created', true, 'conflict', false, 'inWindow', r.due is not null);
end $$;

-- Puts a claimed launch back in its own place. The caller holds the line's lock and the row.
create or replace function line_back(p_launch text, p_reason text) returns void language plpgsql as $$
declare r launch;
begin
  -- A probe that came back proved nothing: the agent may be asked again.
  update agent set probe_launch = null where probe_launch = p_launch;
  update launch set
    state = case when cancel_requested_at is null then 'queued' else 'stopped' end,
    ended_at = case when cancel_requested_at is null then null else clock_timestamp() end,
    failure = case when cancel_requested_at is null then null else failure end,
    epoch = epoch + 1, claim = null, agent_id = null, incarnation = null, private_queue = null, place = null,
    submitting = false, node = null, claimed_at = null, started_at = null, deadline_at = null, deadline = null,
    queued_at = clock_timestamp(), reason = p_reason, v = next_v(v), due = clock_timestamp()
  where id = p_launch returning * into r;
  perform line_event(p_launch, r.v, case when r.state = 'queued' then 'returned' else 'stopped' end,
    jsonb_build_object('epoch', r.epoch, 'reason', p_reason));
end $$;

drop function line_claim(int, text, int, text, text, text, text);
create function line_claim(
  p_queue int, p_class text, p_ticket text, p_ticket_attempt int, p_agent text, p_incarnation text, p_private_queue text, p_place text
) returns jsonb language plpgsql as $$
declare
  tk ticket;
  r launch;
  q queue;
  a agent;
  picked text;
begin
  perform pg_advisory_xact_lock(1, p_queue);

  select * into a from agent where id = p_agent and incarnation = p_incarnation;
  if not found then
    return jsonb_build_object('outcome', 'superseded', 'left', 0);
  end if;

  select * into tk from ticket where id = p_ticket;
  if found then
    if p_ticket_attempt < tk.attempt then
      return jsonb_build_object('outcome', 'stale', 'left', line_left(p_queue, p_class));
    end if;
    update ticket set attempt = p_ticket_attempt where id = p_ticket;
    select * into r from launch where id = tk.launch_id for update;
    if found and r.claim = tk.claim then
      if r.state <> 'claimed' then
        return jsonb_build_object('outcome', 'spent', 'left', line_left(p_queue, p_class));
      end if;
      if r.agent_id = p_agent and r.incarnation = p_incarnation then
        return jsonb_build_object('outcome', 'granted', 'launchId', r.id, 'claim', r.claim, 'epoch', r.epoch,
          'v', r.v, 'left', line_left(p_queue, p_class));
      end if;
      -- Temporal gave the ticket to another agent before the first one confirmed: back to its place, then pick afresh.
      perform line_back(r.id, 'the agent that took it did not confirm');
    end if;
  end if;

  if a.wanted <> 'active' then
    return jsonb_build_object('outcome', 'draining', 'left', line_left(p_queue, p_class));
  end if;
  if a.quarantined_at is not null then
    -- One probe at a time: two lines are two locks, so the agent's row decides.
    select * into a from agent where id = p_agent for update;
    if a.quarantined_at is not null and (a.probe_launch is not null or a.probe_after is null or a.probe_after > clock_timestamp()) then
      return jsonb_build_object('outcome', 'quarantined', 'left', line_left(p_queue, p_class));
    end if;
  end if;

  select * into q from queue where id = p_queue;
  if not found or q.paused then
    return jsonb_build_object('outcome', 'paused', 'left', 0);
  end if;
  picked := line_pick(q, a.labels);
  if picked is null then
    return jsonb_build_object('outcome',
      case when exists (select 1 from launch where queue_id = p_queue and state = 'queued' and not held) then 'limited' else 'none' end,
      'left', line_left(p_queue, p_class));
  end if;

  update launch set
    state = 'claimed', epoch = epoch + 1, claim = gen_random_uuid(), agent_id = p_agent, incarnation = p_incarnation,
    private_queue = p_private_queue, place = p_place, claimed_at = clock_timestamp(), reason = null,
    v = next_v(v), due = clock_timestamp() + interval '1.5 seconds'
  where id = picked returning * into r;
  update queue set claimed_at = clock_timestamp() where id = p_queue;
  if a.quarantined_at is not null then
    update agent set probe_launch = r.id where id = p_agent;
  end if;
  if p_ticket is not null then
    insert into ticket (id, attempt, launch_id, claim) values (p_ticket, p_ticket_attempt, r.id, r.claim)
    on conflict (id) do update set attempt = excluded.attempt, launch_id = excluded.launch_id, claim = excluded.claim;
  end if;
  perform line_event(r.id, r.v, 'claimed', jsonb_build_object('epoch', r.epoch, 'agent', p_agent, 'attempt', r.attempt));
  return jsonb_build_object('outcome', 'granted', 'launchId', r.id, 'claim', r.claim, 'epoch', r.epoch,
    'v', r.v, 'left', line_left(p_queue, p_class));
end $$;

-- A launch of a limited queue lets go of its slot: the line has room again.
create function line_room() returns trigger language plpgsql as $$
begin
  if exists (select 1 from queue q where q.id = new.queue_id and not q.paused and (q.max_running is not null or q.max_running_per_project is not null
      or exists (select 1 from queue_project p where p.queue_id = q.id and p.max_running is not null)))
    and exists (select 1 from launch where queue_id = new.queue_id and state = 'queued' and not held) then
    perform pg_notify('davit', 'room ' || new.queue_id);
  end if;
  return null;
end $$;
create trigger launch_room after update on launch for each row
  when (old.state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')
    and new.state in ('queued', 'finished', 'failed', 'stopped'))
  execute function line_room();
`;
