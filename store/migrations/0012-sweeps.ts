/**
 * Sweeps. A parameter set is a row before anybody is told of it: what was decided survives the process that decided it, and is given to the next
 * agent if the first one dies. Everything of one sweep changes under the lock of its row.
 */
export const name = '0012-sweeps';

export const up = /* sql */ `
create table sweep (
  id            int generated always as identity primary key,
  project_id    int not null references project on delete cascade,
  name          text not null,
  display_name  text not null default '',
  description   text not null default '',
  state         text not null default 'PENDING' check (state in ('PENDING', 'RUNNING', 'PAUSED', 'FINISHED', 'CANCELED')),
  -- YAML as its author's client sent it.
  config        text not null,
  method        text not null default '',
  -- What a local controller writes, and what it reads: JSON texts.
  controller    text,
  scheduler     text,
  user_id       int references user_account on delete set null,
  -- Sets decided for the cap, and where the walk over the grid stands.
  decided       int not null default 0,
  grid_next     bigint not null default 0,
  -- Nothing more will be decided; finished when what is out has ended.
  exhausted     boolean not null default false,
  judged_at     timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  heartbeat_at  timestamptz,
  unique (project_id, name)
);
create index sweep_list on sweep (project_id, id);
create index sweep_open on sweep (id) where state in ('PENDING', 'RUNNING') and exhausted;

create table sweep_agent (
  id            int generated always as identity primary key,
  sweep_id      int not null references sweep on delete cascade,
  name          text not null,
  host          text not null default '',
  actor         text not null default '',
  exited        boolean not null default false,
  created_at    timestamptz not null default now(),
  heartbeat_at  timestamptz not null default now(),
  unique (sweep_id, name)
);

create table sweep_set (
  sweep_id   int not null references sweep on delete cascade,
  n          int not null,
  origin     text not null check (origin in ('search', 'enqueued', 'controller', 'prior', 'foreign')),
  -- waiting: nobody has it. given: an agent was told, and nobody has seen the run. started: seen. ended: over, however.
  state      text not null check (state in ('waiting', 'given', 'started', 'ended')),
  run_name   text not null,
  -- JSON text of {param: {value}}, type for type, and its form for comparing.
  args       text not null,
  key        text not null,
  agent_id   int references sweep_agent on delete set null,
  -- How often somebody was told of it under this run's name.
  gives      int not null default 0,
  -- The run was pre-empted and goes on under its name.
  resumes    boolean not null default false,
  -- Given up: its agent is told to stop it.
  stop       boolean not null default false,
  -- Names under which it was given before, to agents that went silent.
  former     text[] not null default '{}',
  created_at timestamptz not null default now(),
  given_at   timestamptz,
  primary key (sweep_id, n),
  unique (sweep_id, run_name)
);
create index sweep_set_key on sweep_set (sweep_id, md5(key));
create index sweep_set_open on sweep_set (sweep_id) where state <> 'ended';
create index sweep_set_agent on sweep_set (agent_id) where agent_id is not null;

create index run_sweep on run (project_id, sweep_name, id) where sweep_name is not null;
`;
