/**
 * The lives of a run: each process that begins it anew (docs/decisions/0009-lives-of-a-run.md), the writers that share one, and what it alerted to.
 */
export const name = '0010-runs';

export const up = /* sql */ `
-- How many processes have begun this run anew; 0: somebody made it, but no process has begun it yet.
alter table run add column life int not null default 0;
-- When the present life began or was resumed; by the database's clock.
alter table run add column life_at timestamptz;
-- The present life has said something since: what comes now cannot be its own first request again.
alter table run add column spoken boolean not null default false;
-- Where the lines of the present process begin in files which some clients count from 0 after a resume:
-- { file: { base, shift } }, shift null = not yet known.
alter table run add column line_base jsonb not null default '{}';
update run set life = 1, life_at = created_at, spoken = true;

-- Processes that write one run together ("shared" mode), and where in the run their lines are.
create table run_writer (
  run_id   int not null references run on delete cascade,
  client   text not null,
  -- { file: [[own line, line of the run, count], ...] }
  lines    jsonb not null default '{}',
  leads    boolean not null default false,
  ended    boolean not null default false,
  seen_at  timestamptz not null default now(),
  primary key (run_id, client)
);

create table run_alert (
  id       bigint generated always as identity primary key,
  run_id   int not null references run on delete cascade,
  at       timestamptz not null default now(),
  title    text not null,
  text     text not null,
  severity text not null
);
create index run_alert_list on run_alert (run_id, id desc);

create table custom_chart (
  id           bigint generated always as identity primary key,
  entity_id    int not null references entity on delete cascade,
  name         text not null,
  display_name text not null default '',
  type         text not null default '',
  access       text not null default '',
  spec         text not null default '{}',
  created_by   text not null default '',
  created_at   timestamptz not null default now(),
  unique (entity_id, name)
);
`;
