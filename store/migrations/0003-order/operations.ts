/**
 * What people do with waiting launches. Each takes the line's lock and then looks: either the launch still waits and the change holds, or it
 * was taken, and the answer says by whom. Refusals are raised with SQLSTATE DV001 and the error's code as message.
 */
export const operations = /* sql */ `
-- Locks the line and answers the row if it waits. The queue is read again under the lock, because a launch can be transferred.
create function line_waiting(p_launch text) returns launch language plpgsql as $$
declare
  q int;
  r launch;
begin
  loop
    select queue_id into q from launch where id = p_launch;
    if not found then
      raise exception using errcode = 'DV001', message = 'not-found';
    end if;
    perform pg_advisory_xact_lock(1, q);
    select * into r from launch where id = p_launch for update;
    exit when r.queue_id = q;
  end loop;
  return r;
end $$;

create function line_answer(p_launch text) returns jsonb language sql stable as $$
  select case when state = 'queued'
    then jsonb_build_object('outcome', 'done', 'position', line_position(id), 'held', held)
    else jsonb_build_object('outcome', 'not-waiting', 'state', state, 'agentId', agent_id) end
  from launch where id = p_launch
$$;

create function line_hold(p_launch text, p_actor text, p_cause text, p_reason text, p_release_at timestamptz) returns jsonb
language plpgsql as $$
declare r launch;
begin
  r := line_waiting(p_launch);
  if r.state = 'queued' then
    update launch set held = true, hold = p_cause, held_by = p_actor, hold_reason = p_reason, release_at = p_release_at, v = next_v(v)
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'held', jsonb_strip_nulls(jsonb_build_object('by', p_actor, 'cause', p_cause, 'reason', p_reason)));
    insert into audit (actor, action, subject, data)
      values (p_actor, 'launch.hold', 'launch/' || p_launch, jsonb_strip_nulls(jsonb_build_object('cause', p_cause, 'reason', p_reason)));
  end if;
  return line_answer(p_launch);
end $$;

create function line_release(p_launch text, p_actor text) returns jsonb language plpgsql as $$
declare r launch;
begin
  r := line_waiting(p_launch);
  if r.state = 'queued' and r.held then
    -- Whoever releases a parked launch has looked at it: it may cost agents again.
    update launch set held = false, hold = null, held_by = null, hold_reason = null, release_at = null, queued_at = clock_timestamp(),
      v = next_v(v), lost_agents = case when hold = 'parked' then 0 else lost_agents end
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'released', jsonb_build_object('by', p_actor));
    insert into audit (actor, action, subject) values (p_actor, 'launch.release', 'launch/' || p_launch);
  end if;
  return line_answer(p_launch);
end $$;

create index launch_aside on launch (queue_id, priority, rank) where state = 'queued' and held;
-- Whoever has a place in the order: those in the line, those who are held, and those who are taken and may come back.
create function line_placed(p_queue int, p_priority smallint) returns table (id text, rank bigint) language sql stable as $$
  select id, rank from launch where queue_id = p_queue and priority = p_priority and state = 'queued' and not held
  union all
  select id, rank from launch where queue_id = p_queue and priority = p_priority and state = 'queued' and held
  union all
  select id, rank from launch where queue_id = p_queue and priority = p_priority
    and state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')
$$;

-- Makes room between two neighbours that have none: spreads the launches around a rank, as many as it takes, over the ranks that they have
-- together. Held and taken ones are spread with them, so that nobody's place changes, and nobody outside is passed.
create function line_spread(p_queue int, p_priority smallint, p_rank bigint) returns void language plpgsql as $$
declare
  n int := 16;
  low bigint;
  high bigint;
  below int;
  above int;
  m int;
begin
  loop
    select min(rank), max(rank), count(*) filter (where rank <= p_rank), count(*) filter (where rank > p_rank)
    into low, high, below, above from (
      (select rank from launch where queue_id = p_queue and state = 'queued' and not held and priority = p_priority and rank <= p_rank
        order by rank desc limit n)
      union all
      (select rank from launch where queue_id = p_queue and state = 'queued' and not held and priority = p_priority and rank > p_rank
        order by rank limit n)
    ) near;
    if below < n and above < n then
      -- The whole of this priority is near: there is room before the first of all.
      select count(*), min(rank) - count(*) * 1048576 into m, low from line_placed(p_queue, p_priority) where rank <= high;
      exit;
    end if;
    select count(*) into m from line_placed(p_queue, p_priority) where rank between low and high;
    exit when (high - low) / m > 4096;
    n := n * 4;
  end loop;
  update launch set rank = spread.rank from (
    select id, low + ((high - low) / m) * (row_number() over (order by line_placed.rank, id) - 1) as rank
    from line_placed(p_queue, p_priority) where line_placed.rank between low and high
  ) spread where launch.id = spread.id;
end $$;

-- p_to: front, back, before, after. The place is within the launch's own priority.
create function line_move(p_launch text, p_to text, p_other text, p_actor text) returns jsonb language plpgsql as $$
declare
  r launch;
  o launch;
  low bigint;
  high bigint;
  new_rank bigint;
begin
  r := line_waiting(p_launch);
  if r.state <> 'queued' then
    return line_answer(p_launch);
  end if;
  if p_to in ('before', 'after') then
    select * into o from launch where id = p_other for update;
    if not found or o.queue_id <> r.queue_id or o.id = r.id then
      raise exception using errcode = 'DV001', message = 'move-elsewhere';
    elsif o.state <> 'queued' or o.held then
      raise exception using errcode = 'DV001', message = 'move-beside-taken';
    elsif o.priority <> r.priority then
      raise exception using errcode = 'DV001', message = 'move-across-priorities';
    end if;
  end if;
  for i in 1..2 loop
    if p_to = 'front' then
      select min(rank) into high from launch where queue_id = r.queue_id and state = 'queued' and not held and priority = r.priority;
      low := null;
    elsif p_to = 'back' then
      low := null;
      high := null;
    elsif p_to = 'before' then
      select rank into high from launch where id = p_other;
      select max(rank) into low from launch where queue_id = r.queue_id and state = 'queued' and not held and priority = r.priority
        and rank < high and id <> r.id;
    else
      select rank into low from launch where id = p_other;
      select min(rank) into high from launch where queue_id = r.queue_id and state = 'queued' and not held and priority = r.priority
        and rank > low and id <> r.id;
    end if;
    -- Anywhere in the middle of the gap: ranks of held and taken launches, which are not seen here, are hardly met.
    new_rank := case
      when p_to = 'back' or (low is null and high is null) or (p_to = 'after' and high is null) then nextval('line_rank') * 1048576
      when low is null then high - 1048576 + (random() * 262144)::bigint
      else low + (high - low) / 4 + (random() * ((high - low) / 2))::bigint end;
    exit when low is null or high is null or (new_rank > low and new_rank < high and high - low > 8);
    perform line_spread(r.queue_id, r.priority, low);
  end loop;
  update launch set rank = new_rank, v = next_v(v) where id = p_launch returning * into r;
  perform line_event(p_launch, r.v, 'moved', jsonb_strip_nulls(jsonb_build_object('by', p_actor, 'to', p_to, 'other', p_other)));
  insert into audit (actor, action, subject, data)
    values (p_actor, 'launch.move', 'launch/' || p_launch, jsonb_strip_nulls(jsonb_build_object('to', p_to, 'other', p_other)));
  return line_answer(p_launch);
end $$;

-- The rank stays: among its new equals the launch stands where its acceptance puts it.
create function line_reprioritise(p_launch text, p_priority smallint, p_actor text) returns jsonb language plpgsql as $$
declare
  r launch;
  before smallint;
begin
  r := line_waiting(p_launch);
  if r.state = 'queued' and r.priority <> p_priority then
    if p_priority <> 2 and not (select priorities from queue where id = r.queue_id) then
      raise exception using errcode = 'DV001', message = 'priority-not-allowed';
    end if;
    before := r.priority;
    update launch set priority = p_priority, v = next_v(v), told = false, due = case when told then clock_timestamp() else due end
    where id = p_launch returning * into r;
    perform line_event(p_launch, r.v, 'reprioritised', jsonb_build_object('by', p_actor, 'from', before, 'to', p_priority));
    insert into audit (actor, action, subject, data)
      values (p_actor, 'launch.priority', 'launch/' || p_launch, jsonb_build_object('from', before, 'to', p_priority));
  end if;
  return line_answer(p_launch);
end $$;

-- To the end of its priority in another queue of the same target. p_request: names and resource config as resolved for the new queue.
create function line_transfer(p_launch text, p_queue int, p_request jsonb, p_require_run boolean, p_actor text) returns jsonb
language plpgsql as $$
declare
  r launch;
  q queue;
  n record;
  before int;
begin
  select queue_id into before from launch where id = p_launch;
  if not found then
    raise exception using errcode = 'DV001', message = 'not-found';
  end if;
  -- Both lines, the lower number first: two transfers against each other must not wait for one another.
  perform pg_advisory_xact_lock(1, least(before, p_queue));
  perform pg_advisory_xact_lock(1, greatest(before, p_queue));
  select * into r from launch where id = p_launch for update;
  if r.state <> 'queued' or r.queue_id = p_queue then
    return line_answer(p_launch);
  elsif r.queue_id <> before then
    raise exception using errcode = 'DV001', message = 'conflict';
  end if;
  select * into q from queue where id = p_queue;
  if not found or q.deleted_at is not null then
    raise exception using errcode = 'DV001', message = 'unknown-queue';
  elsif q.target <> (select target from queue where id = before) then
    raise exception using errcode = 'DV001', message = 'transfer-other-target';
  elsif q.draining then
    raise exception using errcode = 'DV001', message = 'queue-draining';
  elsif not q.priorities and r.priority <> 2 then
    raise exception using errcode = 'DV001', message = 'priority-not-allowed';
  elsif q.max_waiting is not null then
    select * into n from line_counts(p_queue);
    if n.waiting + n.held >= q.max_waiting then
      raise exception using errcode = 'DV001', message = 'queue-full';
    end if;
  end if;
  if r.class <> '' then
    insert into line (queue_id, class, requires) values (p_queue, r.class, r.requires) on conflict do nothing;
  end if;
  update launch set queue_id = p_queue, rank = nextval('line_rank') * 1048576, request = p_request, require_run = p_require_run,
    v = next_v(v), told = false, due = case when told then clock_timestamp() else due end
  where id = p_launch returning * into r;
  perform line_event(p_launch, r.v, 'transferred', jsonb_build_object('by', p_actor, 'from', before, 'to', p_queue));
  insert into audit (actor, action, subject, data)
    values (p_actor, 'launch.transfer', 'launch/' || p_launch, jsonb_build_object('from', before, 'to', p_queue));
  return line_answer(p_launch);
end $$;

-- Ends a launch that still waits (its time-to-live is over). Null: it does not wait any more.
create function line_end_waiting(p_launch text, p_actor text, p_failure jsonb) returns text language plpgsql as $$
declare r launch;
begin
  r := line_waiting(p_launch);
  if r.state <> 'queued' then
    return null;
  end if;
  update launch set state = 'stopped', failure = p_failure, ended_at = clock_timestamp(), reason = null, v = next_v(v),
    due = case when told or due is not null then clock_timestamp() end
  where id = p_launch returning * into r;
  perform line_event(p_launch, r.v, 'stopped', jsonb_build_object('by', p_actor, 'reason', p_failure->>'message'));
  return r.state;
end $$;
`;
