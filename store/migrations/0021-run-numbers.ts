/** Kept values that are numbers, as numbers: a list in the order of one is sorted in half the time (decision 0011). */
export const name = '0021-run-numbers';

export const up = /* sql */ `
-- False once some kept value is something else than a number, null or NaN, or a number that a float8 does not hold exactly.
alter table run_key add column only_numbers boolean not null default true;
-- What is kept already goes through the background work again.
update run_key set state = 'filling', filled_to = 0 where state = 'ready';
-- Beside picked, in the same places; null where the value is no number.
alter table run_face add column numbers float8[];

-- Beyond float8 is infinity: so documents hold Infinity (domain/extended-json.ts).
create function run_number(value jsonb) returns float8 language sql immutable parallel safe as $$
  select case
    when jsonb_typeof(value) is distinct from 'number' then null
    when value >= '1e308' then case when value >= '1e309' then 'infinity'::float8 end
    when value <= '-1e308' then case when value <= '-1e309' then '-infinity'::float8 end
    when value > '-1e-300' and value < '1e-300' then case when value = '0' then 0 end
    else value::float8 end
$$;
create function run_is_number(value jsonb) returns boolean language sql immutable parallel safe as $$
  select case jsonb_typeof(value)
    when 'number' then coalesce(value >= '1e309' or value <= '-1e309' or run_number(value)::text::numeric = value::numeric, false)
    when 'string' then value = '"NaN"'
    when 'null' then true
    else value is null end
$$;

create or replace function run_pick(_run int, _project int, _doc text, _content jsonb) returns void language plpgsql as $$
declare
  kept jsonb[];
  kept_numbers float8[];
  known boolean := false;
  changed boolean := false;
  key record;
  value jsonb;
begin
  for key in select id, path, place, only_numbers from run_key where project_id = _project and doc = _doc and state <> 'wide' loop
    if not known then
      select coalesce(picked, '{}'), coalesce(numbers, '{}') into kept, kept_numbers from run_face where run_id = _run;
      if not found then return; end if;
      known := true;
    end if;
    value := run_value_at(_content, key.path);
    if run_value_is_wide(value) then
      update run_key set state = 'wide' where id = key.id and state <> 'wide';
      continue;
    end if;
    if key.only_numbers and not run_is_number(value) then
      update run_key set only_numbers = false where id = key.id and only_numbers;
    end if;
    if kept[key.place] is distinct from value or kept_numbers[key.place] is distinct from run_number(value) then
      kept[key.place] := value;
      kept_numbers[key.place] := run_number(value);
      changed := true;
    end if;
  end loop;
  if changed then update run_face set picked = kept, numbers = kept_numbers where run_id = _run; end if;
end $$;
`;
