/** Values of the keys that a large project is asked for, beside what its runs are found by most (decision 0011). */
export const name = '0020-run-keys';

export const up = /* sql */ `
create table run_key (
  id int generated always as identity primary key,
  project_id int not null references project on delete cascade,
  doc text not null check (doc in ('config', 'summary')),
  path text[] not null,
  -- Where in run_face.picked.
  place int not null,
  -- 'filling': triggers keep it for what is written now, runs up to filled_to have it. 'wide': some value is too large to be kept; read from the document.
  state text not null default 'filling' check (state in ('filling', 'ready', 'wide')),
  filled_to int not null default 0,
  asked_on date not null default current_date,
  unique (project_id, doc, path),
  unique (project_id, place)
);
alter table run_face add column picked jsonb[];

-- 'train.loss' is a key with a dot in it, or 'loss' inside of 'train'.
create function run_value_at(content jsonb, path text[]) returns jsonb language sql immutable as $$
  select coalesce(content -> array_to_string(path, '.'), case when cardinality(path) > 1 then content #> path end)
$$;
create function run_value_is_wide(value jsonb) returns boolean language sql immutable as $$
  select coalesce(jsonb_typeof(value) in ('object', 'array') or pg_column_size(value) > 200, false)
$$;

create function run_pick(_run int, _project int, _doc text, _content jsonb) returns void language plpgsql as $$
declare
  kept jsonb[];
  known boolean := false;
  changed boolean := false;
  key record;
  value jsonb;
begin
  for key in select id, path, place from run_key where project_id = _project and doc = _doc and state <> 'wide' loop
    if not known then
      select coalesce(picked, '{}') into kept from run_face where run_id = _run;
      if not found then return; end if;
      known := true;
    end if;
    value := run_value_at(_content, key.path);
    if run_value_is_wide(value) then
      update run_key set state = 'wide' where id = key.id and state <> 'wide';
    elsif kept[key.place] is distinct from value then
      kept[key.place] := value;
      changed := true;
    end if;
  end loop;
  if changed then update run_face set picked = kept where run_id = _run; end if;
end $$;

create or replace function run_keep_config() returns trigger language plpgsql as $$
declare
  read constant jsonb := run_config_values(new.config);
begin
  insert into run_config (run_id, project_id, created_at, content) values (new.id, new.project_id, new.created_at, read)
  on conflict (run_id) do update set content = excluded.content;
  perform run_pick(new.id, new.project_id, 'config', read);
  return null;
end $$;
create or replace function run_keep_summary() returns trigger language plpgsql as $$
declare
  read constant jsonb := run_summary_values(new.summary);
begin
  insert into run_summary (run_id, project_id, created_at, content) values (new.id, new.project_id, new.created_at, read)
  on conflict (run_id) do update set content = excluded.content;
  perform run_pick(new.id, new.project_id, 'summary', read);
  return null;
end $$;

-- Triggers fire in the order of their names: a new run must have its face before values are picked into it.
drop trigger run_face_new on run;
create trigger run_a_face_new after insert on run for each row execute function run_keep_face();
`;
