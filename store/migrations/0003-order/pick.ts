/** Who is next, and how many tickets are worth having out. The rule in words and as a pure function: domain/line-model. */
export const pick = /* sql */ `
-- Launches of a queue that hold a slot: live claims, so nothing can leak when a holder dies.
create function line_holding(p_queue int) returns int language sql stable as $$
  select count(*)::int from launch where queue_id = p_queue
    and state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')
$$;

-- Does the plain order (priority, rank) say who is next? Not when projects are weighed or limited, or labels are required.
create function line_is_plain(q queue) returns boolean language sql stable as $$
  select q.discipline = 'fifo' and q.max_running_per_project is null
    and not exists (select 1 from queue_project where queue_id = q.id and max_running is not null)
    and not exists (select 1 from line where queue_id = q.id)
$$;

-- The kinds of launches that wait in a queue: by required labels and project, each with the room that its project has.
create function line_kinds(q queue) returns table (class text, project_id int, running int, room int, weight real)
language sql stable as $$
  with recursive kinds as (
    (select l.class, l.project_id from launch l where l.queue_id = q.id and l.state = 'queued' and not l.held
      order by l.class, l.project_id limit 1)
    union all
    select n.class, n.project_id from kinds k cross join lateral (
      select l.class, l.project_id from launch l where l.queue_id = q.id and l.state = 'queued' and not l.held
        and (l.class, l.project_id) > (k.class, k.project_id)
      order by l.class, l.project_id limit 1) n
  )
  select k.class, k.project_id, h.running,
    greatest(0, coalesce(p.max_running, q.max_running_per_project, 1000000000) - h.running), coalesce(p.weight, 1)::real
  from kinds k
    left join queue_project p on p.queue_id = q.id and p.project_id = k.project_id
    cross join lateral (select count(*)::int as running from launch l where l.queue_id = q.id and l.project_id = k.project_id
      and l.state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping')) h
$$;

-- The launch that an agent with these labels takes next; null: none that may be taken now. The caller holds the line's lock.
create function line_pick(q queue, p_labels jsonb) returns text language plpgsql stable as $$
declare picked text;
begin
  if q.max_running is not null and line_holding(q.id) >= q.max_running then
    return null;
  end if;
  if line_is_plain(q) then
    select id into picked from launch where queue_id = q.id and state = 'queued' and not held order by priority, rank, id limit 1;
    return picked;
  end if;
  select head.id into picked
  from line_kinds(q) k
    cross join lateral (select l.id, l.priority, l.rank from launch l where l.queue_id = q.id and l.class = k.class
      and l.project_id = k.project_id and l.state = 'queued' and not l.held order by l.priority, l.rank, l.id limit 1) head
  where k.room > 0
    and (k.class = '' or exists (select 1 from line c where c.queue_id = q.id and c.class = k.class and c.requires <@ p_labels))
  order by head.priority, case when q.discipline = 'fair' then k.running / k.weight else 0 end, head.rank, head.id
  limit 1;
  return picked;
end $$;

-- Launches of one class that could be claimed now, counted up to 41: more than that changes nothing.
create function line_left(p_queue int, p_class text) returns int language plpgsql stable as $$
declare
  q queue;
  room int := 41;
  ready int;
begin
  select * into q from queue where id = p_queue;
  if not found or q.paused then
    return 0;
  end if;
  if q.max_running is not null then
    room := least(room, q.max_running - line_holding(p_queue));
    if room <= 0 then return 0; end if;
  end if;
  if line_is_plain(q) then
    select count(*)::int into ready from (select 1 from launch where queue_id = p_queue and state = 'queued' and not held limit 41) waiting;
  else
    -- Classes of one project share its room; counting it for each of them costs a surplus ticket, not a place.
    select coalesce(sum(least(k.room, waiting.n)), 0)::int into ready
    from line_kinds(q) k cross join lateral (select count(*)::int as n from (
      select 1 from launch l where l.queue_id = p_queue and l.class = k.class and l.project_id = k.project_id and l.state = 'queued'
        and not l.held limit 41) few) waiting
    where k.class = p_class;
  end if;
  return least(room, ready);
end $$;
create or replace function line_left(p_queue int) returns int language sql stable as $$ select line_left(p_queue, '') $$;
`;
