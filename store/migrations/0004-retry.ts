/** Retries by cause, time-outs of a launch's steps, and the evidence for parking. */
export const name = '0004-retry';

export const up = /* sql */ `
-- Agents that were lost while they held the launch: agentId, agent, at, seen (domain/parking.ts). lost_agents says how many of the last ones
-- count: a release from parking sets it to 0 and leaves the evidence.
alter table launch add column losses jsonb not null default '[]';

-- Which time-out comes next, kept wherever the state is changed, so that nobody who changes it must think of it.
create function launch_times() returns trigger language plpgsql as $$
declare
  step timestamptz;
  step_code text;
  total timestamptz;
begin
  -- Back in line: the time-to-live counts anew, from when it may be taken. Its time before was not spent waiting.
  if tg_op = 'UPDATE' and new.state = 'queued' and old.state <> 'queued' and new.expires_at is not null then
    new.expires_at := coalesce(new.release_at, clock_timestamp()) + make_interval(secs =>
      coalesce((new.spec->>'ttlMs')::bigint, (select ttl_ms from queue where id = new.queue_id)) / 1000.0);
  end if;
  if new.timeouts is null or new.state in ('stopping', 'finished', 'failed', 'stopped') then
    new.deadline_at := null;
    new.deadline := null;
    return new;
  end if;
  if tg_op = 'UPDATE' and ((new.state = 'running' and old.state = 'running')
    or (new.state in ('submitting', 'starting') and old.state in ('submitting', 'starting'))) then
    return new;
  end if;
  if new.state in ('claimed', 'preparing') then
    step := new.claimed_at + make_interval(secs => (new.timeouts->>'prepareMs')::bigint / 1000.0);
    step_code := 'prepare-timeout';
  elsif new.state in ('submitting', 'starting') then
    step := clock_timestamp() + make_interval(secs => (new.timeouts->>'startMs')::bigint / 1000.0);
    step_code := 'start-timeout';
  elsif new.state = 'running' then
    step := clock_timestamp() + make_interval(secs => (new.timeouts->>'runMs')::bigint / 1000.0);
    step_code := 'run-timeout';
  end if;
  total := new.created_at + make_interval(secs => (new.timeouts->>'totalMs')::bigint / 1000.0);
  if step is not null and (total is null or step < total) then
    new.deadline_at := step;
    new.deadline := step_code;
  else
    new.deadline_at := total;
    new.deadline := case when total is not null then 'total-timeout' end;
  end if;
  return new;
end $$;
create trigger launch_times_in before insert on launch for each row when (new.timeouts is not null) execute function launch_times();
create trigger launch_times before update of state on launch for each row
  when (new.timeouts is not null or new.expires_at is not null) execute function launch_times();

-- A time-out is over: asks for the stop, as a cancel does. Null: it is not over (any more), or somebody stops the launch already.
create function line_time_out(p_launch text, p_deadline text, p_failure jsonb) returns text language plpgsql as $$
declare r launch;
begin
  r := line_waiting(p_launch);
  if r.deadline is distinct from p_deadline or r.deadline_at is null or r.deadline_at > clock_timestamp() or r.cancel_requested_at is not null then
    return null;
  end if;
  if r.state in ('queued', 'claimed') then
    update launch set state = 'failed', stop_cause = p_deadline, failure = p_failure, ended_at = clock_timestamp(), reason = null,
      v = next_v(v), due = case when told or due is not null then clock_timestamp() end
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'failed', jsonb_build_object('code', p_deadline, 'message', p_failure->>'message'));
  else
    update launch set state = 'stopping', cancel_requested_at = clock_timestamp(), cancelled_by = 'davit', stop_cause = p_deadline,
      failure = p_failure, v = next_v(v), due = clock_timestamp()
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'stopping',
      jsonb_build_object('by', 'davit', 'code', p_deadline, 'reason', p_failure->>'message'));
  end if;
  return r.state;
end $$;

-- waiting or not yet confirmed: stopped at once. Later: stopping, and the workflow is told to kill. Ended: nothing. A stop that a time-out asked
-- for becomes this cancel.
create or replace function line_cancel(p_launch text, p_actor text, p_failure jsonb) returns text language plpgsql as $$
declare r launch;
begin
  perform 1 from launch where id = p_launch;
  if not found then return null; end if;
  r := line_waiting(p_launch);
  if r.state in ('finished', 'failed', 'stopped') or (r.cancel_requested_at is not null and r.stop_cause is null) then
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
    update launch set state = 'stopping', cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()), cancelled_by = p_actor,
      stop_cause = null, failure = p_failure, v = next_v(v), due = clock_timestamp()
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'stopping', jsonb_build_object('by', p_actor));
  end if;
  return r.state;
end $$;
`;
