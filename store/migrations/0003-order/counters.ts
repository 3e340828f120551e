/**
 * How many wait, without counting them: per block of 1,024 neighbouring ranks. Every change of the line appends what it changes (nobody
 * waits for anybody's row), and a sweep folds the changes into the counts. A position is the sum of the blocks before, of the changes that
 * are not folded yet, and of the neighbours in the own block: a few hundred rows, however long the line. Exact, because one statement sees
 * one moment.
 */
export const counters = /* sql */ `
create table line_count (
  queue_id int not null,
  held     boolean not null,
  priority smallint not null,
  -- rank / 2^30
  block    bigint not null,
  waiting  int not null,
  primary key (queue_id, held, priority, block)
);
create table line_change (
  queue_id int not null,
  held     boolean not null,
  priority smallint not null,
  block    bigint not null,
  delta    int not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index line_change_queue on line_change (queue_id);

insert into line_count
  select queue_id, held, priority, rank >> 30, count(*) from launch where state = 'queued' group by 1, 2, 3, 4;

create function line_changed() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and old.state = 'queued' then
    insert into line_change values (old.queue_id, old.held, old.priority, old.rank >> 30, -1);
  end if;
  if tg_op <> 'DELETE' and new.state = 'queued' then
    insert into line_change values (new.queue_id, new.held, new.priority, new.rank >> 30, 1);
  end if;
  return null;
end $$;
create trigger line_changed_in after insert on launch for each row when (new.state = 'queued') execute function line_changed();
create trigger line_changed_out after delete on launch for each row when (old.state = 'queued') execute function line_changed();
create trigger line_changed after update on launch for each row
  when ((old.state = 'queued' or new.state = 'queued')
    and (old.state, old.held, old.queue_id, old.priority, old.rank) is distinct from (new.state, new.held, new.queue_id, new.priority, new.rank))
  execute function line_changed();

create function line_fold(p_queue int) returns void language sql as $$
  with gone as (delete from line_change where queue_id = p_queue returning *),
  sums as (select queue_id, held, priority, block, sum(delta)::int as delta from gone group by 1, 2, 3, 4 having sum(delta) <> 0)
  insert into line_count as c (queue_id, held, priority, block, waiting) select * from sums
  on conflict (queue_id, held, priority, block) do update set waiting = c.waiting + excluded.waiting;
  delete from line_count where queue_id = p_queue and waiting = 0;
$$;

create function line_counts(p_queue int, out waiting int, out held int) language sql stable as $$
  select coalesce(sum(n) filter (where not h), 0)::int, coalesce(sum(n) filter (where h), 0)::int from (
    select c.held as h, sum(c.waiting) as n from line_count c where c.queue_id = p_queue group by 1
    union all
    select d.held, sum(d.delta) from line_change d where d.queue_id = p_queue group by 1
  ) both_parts
$$;

-- 1 = next; null: does not wait, or is held. In a fair queue: the order in which the line would be served if nothing ended or came.
create function line_position(p_launch text) returns int language plpgsql stable as $$
declare
  r record;
  answer int;
begin
  select l.id, l.queue_id, l.priority, l.rank, q.discipline into r
    from launch l join queue q on q.id = l.queue_id where l.id = p_launch and l.state = 'queued' and not l.held;
  if not found then return null; end if;
  if r.discipline = 'fair' then
    select place into answer from (
      select id, row_number() over (order by priority, (running + nth) / weight, rank, id)::int as place from (
        select l.id, l.priority, l.rank, coalesce(h.running, 0) as running, coalesce(p.weight, 1) as weight,
          row_number() over (partition by l.project_id order by l.priority, l.rank, l.id) - 1 as nth
        from launch l
          left join queue_project p on p.queue_id = l.queue_id and p.project_id = l.project_id
          left join (select project_id, count(*) as running from launch where queue_id = r.queue_id
            and state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping') group by 1) h
            on h.project_id = l.project_id
        where l.queue_id = r.queue_id and l.state = 'queued' and not l.held
      ) waiting
    ) placed where id = r.id;
    return answer;
  end if;
  select (
    (select coalesce(sum(waiting), 0) from line_count
      where queue_id = r.queue_id and not held and (priority < r.priority or (priority = r.priority and block < r.rank >> 30)))
    + (select coalesce(sum(delta), 0) from line_change
      where queue_id = r.queue_id and not held and (priority < r.priority or (priority = r.priority and block < r.rank >> 30)))
    + (select count(*) from launch where queue_id = r.queue_id and state = 'queued' and not held and priority = r.priority
      and rank >= (r.rank >> 30) << 30 and (rank < r.rank or (rank = r.rank and id <= r.id)))
  )::int into answer;
  return answer;
end $$;
`;
