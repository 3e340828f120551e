/** Entities, keys, projects, artifacts, runs: everything but the line. Forward only; a released migration is never edited. */
export const name = '0001-base';

export const up = /* sql */ `
create table setting (
  key   text primary key,
  value text not null
);

create table entity (
  id         int generated always as identity primary key,
  name       text not null unique,
  kind       text not null check (kind in ('user', 'team')),
  created_at timestamptz not null default now()
);

create table user_account (
  id           int generated always as identity primary key,
  -- A user owns an entity of the same name.
  entity_id    int not null unique references entity,
  username     text not null unique,
  email        text not null default '',
  display_name text not null default '',
  is_admin     boolean not null default false,
  created_at   timestamptz not null default now()
);

create table member (
  entity_id int not null references entity on delete cascade,
  user_id   int not null references user_account on delete cascade,
  role      text not null check (role in ('viewer', 'member', 'admin')),
  primary key (entity_id, user_id)
);

create table api_key (
  id           uuid primary key default gen_random_uuid(),
  kind         text not null check (kind in ('user', 'agent', 'run')),
  -- SHA-256 of the whole key. The key has 160 random bits, so a fast hash is enough and a look-up by it is exact.
  hash         bytea not null unique,
  -- The last four characters, to tell keys apart in lists.
  hint         text not null,
  description  text not null default '',
  -- user: whose key. agent, run: who made it, on whose behalf it acts.
  user_id      int references user_account on delete cascade,
  -- agent, run: the one entity the key reaches.
  entity_id    int references entity on delete cascade,
  -- run: the one launch (its project and run) the key reaches.
  launch_id    text,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
create index api_key_launch on api_key (launch_id) where launch_id is not null;

create table project (
  id          int generated always as identity primary key,
  entity_id   int not null references entity,
  name        text not null,
  description text not null default '',
  created_at  timestamptz not null default now(),
  unique (entity_id, name)
);

create table blob (
  -- sha256/<hex> for content-addressed files, else a path chosen by the owner.
  key        text primary key,
  size       bigint not null,
  created_at timestamptz not null default now()
);

create table artifact_collection (
  id          int generated always as identity primary key,
  project_id  int not null references project,
  type        text not null,
  name        text not null,
  description text not null default '',
  -- The index the next committed version gets.
  next_index  int not null default 0,
  created_at  timestamptz not null default now(),
  unique (project_id, name)
);

create table artifact (
  id            int generated always as identity primary key,
  collection_id int not null references artifact_collection,
  -- vN; null until committed.
  version_index int,
  state         text not null check (state in ('PENDING', 'COMMITTED', 'DELETED')),
  -- Hex MD5 over the sorted file list, as the wandb client computes it.
  digest        text not null,
  description   text not null default '',
  metadata      jsonb not null default '{}',
  size          bigint not null default 0,
  file_count    int not null default 0,
  client_id     text unique,
  created_by    text not null default '',
  run_id        int,
  created_at    timestamptz not null default now(),
  committed_at  timestamptz,
  unique (collection_id, version_index)
);
create index artifact_digest on artifact (collection_id, digest);

create table artifact_alias (
  collection_id int not null references artifact_collection,
  alias         text not null,
  artifact_id   int not null references artifact,
  primary key (collection_id, alias)
);
create index artifact_alias_artifact on artifact_alias (artifact_id);

create table artifact_file (
  artifact_id int not null references artifact,
  path        text not null,
  -- Base64 MD5, as in manifests.
  md5         text not null,
  size        bigint not null,
  blob_key    text not null,
  primary key (artifact_id, path)
);

create table run (
  id            int generated always as identity primary key,
  project_id    int not null references project,
  -- The short id which the client chose (WANDB_RUN_ID).
  name          text not null,
  display_name  text not null,
  state         text not null default 'running',
  -- JSON text as the client sent it: may hold NaN and Infinity, so not jsonb.
  config        text not null default '{}',
  summary       text not null default '{}',
  notes         text not null default '',
  description   text not null default '',
  tags          text[] not null default '{}',
  group_name    text not null default '',
  job_type      text not null default '',
  host          text not null default '',
  program       text not null default '',
  repo          text not null default '',
  commit        text not null default '',
  sweep_name    text,
  user_id       int references user_account,
  launch_id     text,
  stopped       boolean not null default false,
  exit_code     int,
  -- Stored lines (highest line number + 1) of history, system events and console.
  history_lines int not null default 0,
  events_lines  int not null default 0,
  log_lines     int not null default 0,
  created_at    timestamptz not null default now(),
  heartbeat_at  timestamptz not null default now(),
  ended_at      timestamptz,
  unique (project_id, name)
);
create index run_launch on run (launch_id) where launch_id is not null;
create index run_list on run (project_id, created_at desc);
create index run_open on run (heartbeat_at) where state in ('running', 'preempting');

create table run_line (
  run_id  int not null references run on delete cascade,
  file    text not null check (file in ('history', 'events', 'log')),
  line    int not null,
  content text not null,
  primary key (run_id, file, line)
);

create table run_file (
  run_id      int not null references run on delete cascade,
  name        text not null,
  blob_key    text not null,
  size        bigint,
  created_at  timestamptz not null default now(),
  uploaded_at timestamptz,
  primary key (run_id, name)
);

create table audit (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  actor   text not null,
  action  text not null,
  subject text not null,
  data    jsonb not null default '{}'
);

create table idempotency (
  actor        text not null,
  key          text not null,
  request_hash text not null,
  launch_id    text not null,
  created_at   timestamptz not null default now(),
  primary key (actor, key)
);
`;
