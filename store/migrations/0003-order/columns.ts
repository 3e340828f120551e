/** What the line, queues, agents and launches know from now on. */
export const columns = /* sql */ `
alter table queue
  -- Refuses new launches and works off the rest.
  add column draining boolean not null default false,
  -- False: every launch has the medium priority, others are refused.
  add column priorities boolean not null default true,
  add column discipline text not null default 'fifo' check (discipline in ('fifo', 'fair')),
  -- Limits on launches that hold a slot, over all agents. Null: none.
  add column max_running int check (max_running >= 0),
  add column max_running_per_project int check (max_running_per_project >= 0),
  -- Limit on launches that wait, held ones included. Null: none.
  add column max_waiting int check (max_waiting >= 0),
  add column ttl_ms bigint check (ttl_ms > 0),
  add column retry jsonb,
  add column timeouts jsonb,
  add column paused_by text,
  add column paused_at timestamptz,
  add column pause_reason text,
  -- Deleted queues keep their row for the launches that name it; the name is free again.
  add column deleted_at timestamptz;
alter table queue drop constraint queue_entity_id_name_key;
create unique index queue_name on queue (entity_id, name) where deleted_at is null;

-- What one project may do in one queue. No row: the queue's own words count.
create table queue_project (
  queue_id    int not null references queue on delete cascade,
  project_id  int not null references project on delete cascade,
  max_running int check (max_running >= 0),
  weight      real not null default 1 check (weight > 0),
  primary key (queue_id, project_id)
);

alter table launch
  -- Hash of the labels that the launch requires of its agent; '' when it requires none.
  add column class text not null default '',
  add column requires jsonb not null default '{}',
  -- Why it is held: held = (hold is not null).
  add column hold text check (hold in ('user', 'back-off', 'parked')),
  add column held_by text,
  add column hold_reason text,
  add column release_at timestamptz,
  -- Waiting for longer than this ends it.
  add column expires_at timestamptz,
  -- The time-out that comes next, and its error code.
  add column deadline_at timestamptz,
  add column deadline text,
  -- Why it is being stopped: null = somebody asked; else the code of the time-out.
  add column stop_cause text,
  add column retry jsonb,
  add column timeouts jsonb,
  -- Retry cause -> how often it was used.
  add column retries jsonb not null default '{}',
  add column queued_at timestamptz not null default now();
update launch set hold = 'user' where held;
create index launch_class on launch (queue_id, class, project_id, priority, rank) where state = 'queued' and not held;
create index launch_holding on launch (queue_id, project_id)
  where state in ('claimed', 'preparing', 'submitting', 'starting', 'running', 'stopping');
create index launch_expiry on launch (expires_at) where state = 'queued' and expires_at is not null;
create index launch_release on launch (release_at) where state = 'queued' and release_at is not null;
create index launch_deadline on launch (deadline_at) where deadline_at is not null;

alter table agent
  add column labels jsonb not null default '{}',
  -- What an operator wants of it; the agent is told with its next heartbeat.
  add column wanted text not null default 'active' check (wanted in ('active', 'draining', 'stopped')),
  add column wanted_by text,
  add column quarantined_at timestamptz,
  add column quarantine jsonb,
  -- From then on it may take one launch to prove itself.
  add column probe_after timestamptz,
  add column probe_launch text;

-- What went wrong on an agent for reasons that were not the launch's own, since it last did something right.
create table agent_trouble (
  agent_id  text not null references agent on delete cascade,
  claim     uuid not null,
  launch_id text not null,
  at        timestamptz not null default now(),
  code      text not null,
  message   text not null default '',
  primary key (agent_id, claim)
);

-- Sets of required labels that launches of a queue have had.
create table line (
  queue_id   int not null references queue on delete cascade,
  class      text not null,
  requires   jsonb not null,
  created_at timestamptz not null default now(),
  primary key (queue_id, class)
);

-- Tokens of agents may be bound to queues. Null: every queue of the entity.
alter table api_key add column queue_ids int[];

create table launch_estimate (
  launch_id  text primary key,
  made_at    timestamptz not null default now(),
  earliest   timestamptz not null,
  latest     timestamptz not null,
  -- When it really was claimed.
  claimed_at timestamptz
);

create table bulk (
  id         text primary key,
  entity_id  int not null references entity,
  queue_id   int references queue,
  actor      text not null,
  action     text not null,
  filter     jsonb not null default '{}',
  params     jsonb not null default '{}',
  state      text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  total      int not null default 0,
  done       int not null default 0,
  skipped    int not null default 0,
  failed     int not null default 0,
  -- The last launch that was dealt with: whoever goes on begins behind it.
  cursor     text,
  error      text,
  -- Leased by the API process that works on it.
  due        timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index bulk_due on bulk (due) where state = 'running';
`;
