/** What the public API of the client needs: runs found by config and summary (decision 0011), service accounts, what clients asked for in vain. */
export const name = '0013-public-api';

export const up = /* sql */ `
-- Rows of runs stay narrow: a list goes through all of a project's, a heartbeat rewrites one. Config and summary lie beside them.
alter table run set (toast_tuple_target = 128);
alter table run alter column name set storage main;
alter table run alter column display_name set storage main;
alter table run alter column tags set storage main;
alter table run alter column group_name set storage main;
alter table run alter column job_type set storage main;
alter table run alter column host set storage main;
alter table run alter column commit set storage main;

create index run_newest on run (project_id, created_at, id);
drop index run_list;

-- Values to filter and sort by: config without its wrapping, both without what the client keeps for itself. The texts in run are the truth.
-- Not compressed and not moved out of line up to a page: they are read by the hundred thousand.
create table run_config (
  run_id int primary key references run on delete cascade,
  content jsonb not null
) with (toast_tuple_target = 8160);
alter table run_config alter column content set storage external;
create index run_config_equal on run_config using gin (content jsonb_path_ops) with (fastupdate = off);

create table run_summary (
  run_id int primary key references run on delete cascade,
  content jsonb not null
) with (toast_tuple_target = 8160, fillfactor = 70);
alter table run_summary alter column content set storage external;

-- Extended JSON (NaN, Infinity, which Python writes) as jsonb: NaN is the text NaN, infinities are numbers beyond every double. What cannot be read has no values.
create function run_values(source text) returns jsonb language plpgsql immutable as $$
declare
  mended text;
begin
  begin
    return source::jsonb;
  exception when others then
  end;
  select string_agg(
      case when m[2] is not null then case m[2] when 'NaN' then '"NaN"' when 'Infinity' then '1e309' else '-1e309' end
        -- jsonb has no NUL and no half pairs, not even escaped.
        when m[1] is not null then regexp_replace(m[1], '\\\\u(0000|[dD][89abAB][0-9a-fA-F]{2}|[dD][c-fC-F][0-9a-fA-F]{2})', '\\\\ufffd', 'g')
        else m[3] end, '' order by n)
    into mended
    from regexp_matches(source, '("(?:[^"\\\\]|\\\\.)*")|(-?Infinity|NaN)|([^"NI-]+|.)', 'g') with ordinality as parts(m, n);
  return mended::jsonb;
exception when others then
  return '{}';
end $$;

create function run_config_values(source text) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(key, case when jsonb_typeof(value) = 'object' and value ? 'value' then value -> 'value' else value end), '{}')
  from jsonb_each(case when jsonb_typeof(run_values(source)) = 'object' then run_values(source) else '{}' end) where key <> '_wandb'
$$;

create function run_summary_values(source text) returns jsonb language sql immutable as $$
  select case when jsonb_typeof(v) = 'object' then v - '_wandb' else '{}' end from (select run_values(source) as v offset 0) as values
$$;

-- By triggers, so that no writer of runs can forget them.
create function run_keep_config() returns trigger language plpgsql as $$
begin
  insert into run_config values (new.id, run_config_values(new.config))
  on conflict (run_id) do update set content = excluded.content;
  return null;
end $$;
create function run_keep_summary() returns trigger language plpgsql as $$
begin
  insert into run_summary values (new.id, run_summary_values(new.summary))
  on conflict (run_id) do update set content = excluded.content;
  return null;
end $$;
create trigger run_config_new after insert on run for each row execute function run_keep_config();
create trigger run_config_changed after update of config on run for each row when (old.config is distinct from new.config) execute function run_keep_config();
create trigger run_summary_new after insert on run for each row execute function run_keep_summary();
create trigger run_summary_changed after update of summary on run for each row when (old.summary is distinct from new.summary) execute function run_keep_summary();

insert into run_config select id, run_config_values(config) from run;
insert into run_summary select id, run_summary_values(summary) from run;

-- What clients asked for and did not get: names only, never values.
create table unanswered (
  -- operation, field, argument, type …
  kind     text not null,
  name     text not null,
  -- The operation it stood in, '' if that has no name.
  operation text not null,
  count    bigint not null default 1,
  first_at timestamptz not null default now(),
  last_at  timestamptz not null default now(),
  -- The client that asked last.
  client   text not null default '',
  primary key (kind, name, operation)
);

`;
