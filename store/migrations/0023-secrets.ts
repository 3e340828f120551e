/**
 * Named secrets, sealed under a key that the database does not have. What a launch was given is kept, sealed as well, until it has ended: whoever
 * adopts its job hides the same values in its log, even when the secret was changed or deleted since.
 */
export const name = '0023-secrets';

export const up = /* sql */ `
create table secret (
  id          int generated always as identity primary key,
  entity_id   int not null references entity on delete cascade,
  name        text not null,
  description text not null default '',
  -- Counts how often it was set.
  version     int not null default 1,
  key_id      text not null,
  sealed      bytea not null,
  created_by  text not null,
  created_at  timestamptz not null default now(),
  updated_by  text not null,
  updated_at  timestamptz not null default now(),
  used_at     timestamptz,
  unique (entity_id, name)
);
create index secret_key on secret (key_id);

create table launch_secret (
  id        bigint generated always as identity primary key,
  launch_id text not null references launch on delete cascade,
  name      text not null,
  key_id    text not null,
  sealed    bytea not null
);
create index launch_secret_launch on launch_secret (launch_id);
create index launch_secret_key on launch_secret (key_id);

create function launch_secret_forgotten() returns trigger language plpgsql as $$
begin
  delete from launch_secret where launch_id = new.id;
  return null;
end $$;
create trigger launch_secret_forgotten after update of state on launch for each row
  when (new.state in ('finished', 'failed', 'stopped') and old.state not in ('finished', 'failed', 'stopped'))
  execute function launch_secret_forgotten();

-- What launches of the queue may name, and what every job of it is given: variable to name.
alter table queue
  add column secrets          text[] not null default '{}',
  add column secret_variables jsonb not null default '{}';
`;
