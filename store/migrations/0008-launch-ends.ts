/**
 * Ends of launches as a log, for what follows them: counters of metrics, traces. Appended by whoever ends a launch, in the same transaction,
 * so no end is missed and nobody waits for a counter's row. Read in the order of transactions, and only behind the oldest one that is still
 * open: a reader that remembers how far it came skips none.
 */
export const name = '0008-launch-ends';

export const up = /* sql */ `
create table launch_end (
  xid       xid8 not null default pg_current_xact_id(),
  n         bigint generated always as identity,
  launch_id text not null,
  queue_id  int not null,
  state     text not null,
  code      text not null default '',
  stage     text not null default '',
  fault     text not null default '',
  at        timestamptz not null default clock_timestamp(),
  primary key (xid, n)
);

-- Folded from the log; grows by the kinds of ends that there were.
create table launch_end_count (
  queue_id int not null,
  state    text not null,
  code     text not null,
  stage    text not null,
  fault    text not null,
  n        bigint not null,
  primary key (queue_id, state, code, stage, fault)
);

create table launch_end_reader (
  name text primary key,
  xid  xid8 not null default '0',
  n    bigint not null default 0
);

-- Nothing may end between the count and the trigger.
lock table launch in share row exclusive mode;
insert into launch_end_count
  select queue_id, state, coalesce(failure->>'code', ''), coalesce(failure->>'stage', ''), coalesce(failure->>'fault', ''), count(*)
  from launch where state in ('finished', 'failed', 'stopped') group by 1, 2, 3, 4, 5;

create function launch_ended() returns trigger language plpgsql as $$
begin
  insert into launch_end (launch_id, queue_id, state, code, stage, fault)
  values (new.id, new.queue_id, new.state, coalesce(new.failure->>'code', ''), coalesce(new.failure->>'stage', ''),
    coalesce(new.failure->>'fault', ''));
  return null;
end $$;
create trigger launch_ended after update of state on launch for each row
  when (new.state in ('finished', 'failed', 'stopped') and old.state not in ('finished', 'failed', 'stopped'))
  execute function launch_ended();
`;
