/**
 * What people do with many launches at once, and the trail of it: the launches of a bulk, audit rows that can be searched, and an audit row
 * in the same transaction for every cancel.
 */
export const name = '0006-operations';

export const up = /* sql */ `
alter table bulk
  -- Error code -> how many launches were refused for it.
  add column failures jsonb not null default '{}',
  -- What the functions of the line are given: numbers instead of names, and the states in which a launch is dealt with.
  add column work jsonb not null default '{}';

-- What a bulk works on, fixed at its start: launches that come later are not in it, so it ends. Gone when the bulk has ended.
create table bulk_launch (
  bulk_id   text not null references bulk on delete cascade,
  n         int not null,
  launch_id text not null,
  queue_id  int not null,
  primary key (bulk_id, n)
);
create index bulk_list on bulk (entity_id, id desc);

-- The transaction says which bulk it belongs to; whatever writes audit rows in it need not know.
alter table audit add column bulk text default nullif(current_setting('davit.bulk', true), '');
create index audit_subject on audit (subject, id);
create index audit_actor on audit (actor, id);
create index audit_at on audit (at);

-- Lists of launches, newest first, by whatever a million waiting ones may hide: the kinds that are rare have an index of their own, which the
-- others do not pay for.
create index launch_author on launch (author, id desc);
create index launch_job on launch (job_artifact_id, id desc);
create index launch_held on launch (queue_id, id desc) where state = 'queued' and held;
create index launch_by_priority on launch (priority, id desc) where priority <> 2::smallint;
create index launch_requiring on launch (id desc) where class <> '';
create index launch_by_end on launch (state, id desc) where state in ('finished', 'failed', 'stopped');

-- Whoever marks a launch as cancelled leaves its name in the audit trail in the same transaction, whichever function does it.
create function launch_cancelled() returns trigger language plpgsql as $$
begin
  insert into audit (actor, action, subject, data)
    values (new.cancelled_by, case when new.stop_cause is null then 'launch.cancel' else 'launch.time-out' end, 'launch/' || new.id,
      jsonb_strip_nulls(jsonb_build_object('state', new.state, 'cause', new.stop_cause)));
  return null;
end $$;
create trigger launch_cancelled after update of cancelled_by on launch for each row
  when (new.cancelled_by is not null and old.cancelled_by is distinct from new.cancelled_by)
  execute function launch_cancelled();

-- In a bulk nobody asks for the position, which in a fair queue would sort the whole line for each launch.
create or replace function line_answer(p_launch text) returns jsonb language sql stable as $$
  select case when state = 'queued'
    then jsonb_build_object('outcome', 'done', 'held', held, 'position',
      case when coalesce(current_setting('davit.bulk', true), '') = '' then line_position(id) end)
    else jsonb_build_object('outcome', 'not-waiting', 'state', state, 'agentId', agent_id) end
  from launch where id = p_launch
$$;

-- A few launches of one queue, by the functions that change one: p_items is [{id, request?, requireRun?}]. Whatever is not as it was when the
-- bulk began (another state, another queue) or would not change is skipped; what a function refuses is counted by its code.
create function line_bulk(p_bulk text, p_queue int, p_items jsonb, p_action text, p_work jsonb, p_actor text) returns jsonb
language plpgsql as $$
declare
  item record;
  r launch;
  other int := (p_work->>'queueId')::int;
  began timestamptz;
  done int := 0;
  skipped int := 0;
  failures jsonb := '{}';
  tell text[] := '{}';
begin
  perform set_config('davit.bulk', p_bulk, true);
  -- The lower number first, as line_transfer does.
  perform pg_advisory_xact_lock(1, least(p_queue, coalesce(other, p_queue)));
  perform pg_advisory_xact_lock(1, greatest(p_queue, coalesce(other, p_queue)));
  began := clock_timestamp();
  for item in select * from jsonb_to_recordset(p_items) as i(id text, request jsonb, "requireRun" boolean) loop
    select * into r from launch where id = item.id;
    if not found or r.queue_id <> p_queue or not p_work->'states' ? r.state
      or (p_action = 'cancel' and r.cancel_requested_at is not null and r.stop_cause is null)
      or (p_action = 'hold' and r.held) or (p_action = 'release' and not r.held)
      or (p_action = 'priority' and r.priority = (p_work->>'priority')::smallint) then
      skipped := skipped + 1;
      continue;
    end if;
    begin
      case p_action
        when 'cancel' then perform line_cancel(item.id, p_actor, p_work->'failure');
        when 'hold' then perform line_hold(item.id, p_actor, 'user', p_work->>'reason', null);
        when 'release' then perform line_release(item.id, p_actor);
        when 'move' then perform line_move(item.id, p_work->>'to', null, p_actor);
        when 'priority' then perform line_reprioritise(item.id, (p_work->>'priority')::smallint, p_actor);
        when 'transfer' then perform line_transfer(item.id, other, item.request, item."requireRun", p_actor);
      end case;
      done := done + 1;
      if exists (select 1 from launch where id = item.id and due is not null) then
        tell := tell || item.id;
      end if;
    exception when sqlstate 'DV001' then
      failures := failures || jsonb_build_object(sqlerrm, coalesce((failures->>sqlerrm)::int, 0) + 1);
    end;
  end loop;
  return jsonb_build_object('done', done, 'skipped', skipped, 'failures', failures, 'tell', tell,
    'heldMs', extract(epoch from clock_timestamp() - began) * 1000);
end $$;
`;
