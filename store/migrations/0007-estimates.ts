/**
 * Estimates of when a launch starts, and whether they came true. What they are made from is the time that ended launches held their slot; with
 * a million waiting launches the ended ones of a queue are found by an index of their own, which only an end writes.
 */
export const name = '0007-estimates';

export const up = /* sql */ `
alter table launch_estimate
  add column queue_id int not null default 0,
  -- Of the launch when it was made: the claim that counts is the next one.
  add column epoch int not null default 0;
create index launch_estimate_queue on launch_estimate (queue_id, made_at desc);
create index launch_estimate_open on launch_estimate (queue_id) where claimed_at is null;

create index launch_past on launch (queue_id, ended_at desc)
  where state in ('finished', 'failed', 'stopped') and claimed_at is not null;

-- Its primary key begins with the agent.
create index if not exists agent_queue_by_queue on agent_queue (queue_id);
`;
