/** Lists of runs look at narrow rows beside `run`, which holds its texts up to two kilobytes in its rows (decision 0011). */
export const name = '0016-run-lists';

const values = (table: string, fillfactor: number) => /* sql */ `
create table ${table}_next (
  run_id int primary key references run on delete cascade,
  -- As in run, where neither ever changes.
  project_id int not null,
  created_at timestamptz not null,
  content jsonb not null
) with (toast_tuple_target = 8160, fillfactor = ${fillfactor});
alter table ${table}_next alter column content set storage external;
insert into ${table}_next select v.run_id, run.project_id, run.created_at, v.content from ${table} v join run on run.id = v.run_id order by run.id;
drop table ${table};
alter table ${table}_next rename to ${table};
alter index ${table}_next_pkey rename to ${table}_pkey;
alter table ${table} rename constraint ${table}_next_run_id_fkey to ${table}_run_id_fkey;
create index ${table}_newest on ${table} (project_id, created_at, run_id);
`;

export const up = /* sql */ `
${values('run_config', 100)}
create index run_config_equal on run_config using gin (content jsonb_path_ops) with (fastupdate = off);
${values('run_summary', 70)}

create or replace function run_keep_config() returns trigger language plpgsql as $$
begin
  insert into run_config (run_id, project_id, created_at, content)
    values (new.id, new.project_id, new.created_at, run_config_values(new.config))
  on conflict (run_id) do update set content = excluded.content;
  return null;
end $$;
create or replace function run_keep_summary() returns trigger language plpgsql as $$
begin
  insert into run_summary (run_id, project_id, created_at, content)
    values (new.id, new.project_id, new.created_at, run_summary_values(new.summary))
  on conflict (run_id) do update set content = excluded.content;
  return null;
end $$;

-- What runs are found by most; not what each heartbeat changes.
create table run_face (
  run_id int primary key references run on delete cascade,
  project_id int not null,
  created_at timestamptz not null,
  user_id int,
  state text not null,
  name text not null,
  display_name text not null,
  group_name text not null,
  job_type text not null,
  sweep_name text,
  tags text[] not null
) with (fillfactor = 90);
insert into run_face
  select id, project_id, created_at, user_id, state, name, display_name, group_name, job_type, sweep_name, tags from run order by id;
create index run_face_newest on run_face (project_id, created_at, run_id);

create function run_keep_face() returns trigger language plpgsql as $$
begin
  insert into run_face
    values (new.id, new.project_id, new.created_at, new.user_id, new.state, new.name, new.display_name, new.group_name, new.job_type, new.sweep_name, new.tags)
  on conflict (run_id) do update set user_id = excluded.user_id, state = excluded.state, name = excluded.name, display_name = excluded.display_name,
    group_name = excluded.group_name, job_type = excluded.job_type, sweep_name = excluded.sweep_name, tags = excluded.tags;
  return null;
end $$;
create trigger run_face_new after insert on run for each row execute function run_keep_face();
create trigger run_face_changed after update of user_id, state, name, display_name, group_name, job_type, sweep_name, tags on run for each row
  when ((old.user_id, old.state, old.name, old.display_name, old.group_name, old.job_type, old.sweep_name, old.tags)
    is distinct from (new.user_id, new.state, new.name, new.display_name, new.group_name, new.job_type, new.sweep_name, new.tags))
  execute function run_keep_face();
`;
